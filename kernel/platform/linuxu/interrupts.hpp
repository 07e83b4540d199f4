// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace tutti::platform {

// Before any CPU has interrupts on.
void interrupts_init();

}  // namespace tutti::platform
