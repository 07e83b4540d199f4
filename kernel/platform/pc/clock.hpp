// SPDX-License-Identifier: BSD-3-Clause
// The CPU counter (TSC) as the one clock, and each CPU's one-shot timer.
#pragma once

#include "platform/pc/calibration.hpp"

namespace tutti::platform {

// Boot CPU, local APIC ready: finds the counter's frequency and the timer's, by `calibration` (begun) if nobody states
// them. Time is zero at `entry_counter`.
void clock_init(Calibration& calibration, u64 entry_counter);
// Each CPU: its timer in the chosen mode, disarmed.
void clock_init_cpu();
void timer_interrupt();

}  // namespace tutti::platform
