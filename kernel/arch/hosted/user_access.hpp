// SPDX-License-Identifier: BSD-3-Clause
// Reads of memory that may not be there, for crash reports. (No user mode here, so nothing else of it.)
#pragma once

#include "base/types.hpp"

namespace tutti::arch {

// Bytes not copied: 0, or all of them. Any context.
[[nodiscard]] size_t copy_probe(void* to, u64 from, size_t size);

}  // namespace tutti::arch
