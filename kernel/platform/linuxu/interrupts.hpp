// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hal/interrupts.hpp"

namespace tutti::platform {

// Before any CPU has interrupts on.
void interrupts_init();
// What a device does by its line or message: the handler that the handle was made for runs on its CPU. Any thread of the
// process. Raised again before it has run, it runs once; everything before the call is visible to it.
void raise_interrupt(hal::InterruptHandle handle);

}  // namespace tutti::platform
