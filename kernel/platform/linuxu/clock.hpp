// SPDX-License-Identifier: BSD-3-Clause
// The CPU's counter as the one clock, a POSIX timer for each CPU.
#pragma once

namespace tutti::platform {

void clock_init();
// Each CPU: its timer, disarmed, which signals the calling thread. `area` is the CPU's per-CPU area.
void clock_init_cpu(void* area);
void timer_interrupt();

}  // namespace tutti::platform
