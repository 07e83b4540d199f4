// SPDX-License-Identifier: BSD-3-Clause
// Instruction caches follow stores (Intel SDM vol. 3, section 12.6).
#pragma once

namespace tutti::arch {

inline void publish_instructions(void const*) {}

}  // namespace tutti::arch
