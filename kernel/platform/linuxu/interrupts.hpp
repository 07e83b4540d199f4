// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace tutti::platform {

// Before any CPU has interrupts on.
void interrupts_init();
// Runs in Isr context; before the link's first interrupt.
void set_host_link_handler(void (*handler)());

}  // namespace tutti::platform
