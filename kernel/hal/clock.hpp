// SPDX-License-Identifier: BSD-3-Clause
// Time: one monotonic clock for all CPUs, one one-shot timer for each CPU.
#pragma once

#include "base/compiler.hpp"
#include "base/types.hpp"

namespace tutti::hal {

// Since boot. Never goes back, on any CPU, also seen across CPUs. Any context; a few instructions.
[[nodiscard]] Nanoseconds now();
// The same clock for accounting, at about half the price: does not wait for the loads before it, so it may be a few dozen
// nanoseconds early, and may seem to go back when compared with what another CPU has published.
[[nodiscard]] Nanoseconds sched_clock();

// Conversion of the CPU counter to nanoseconds, for platforms and the vDSO: ns = (counter - base) * multiplier >> shift.
struct CounterScale {
    u64 base = 0;
    u32 multiplier = 0;
    u32 shift = 0;

    // Time is zero at `base`. `hz` is not 0.
    [[nodiscard]] static constexpr CounterScale of(u64 hz, u64 base) {
        // multiplier = 10^9 * 2^shift / hz must fit 32 bits; the larger the shift, the finer.
        u32 shift = 32;
        u64 multiplier = 0;
        do {
            multiplier = static_cast<u64>((static_cast<unsigned __int128>(1'000'000'000) << shift) / hz);
            if (multiplier <= 0xffffffff) break;
            --shift;
        } while (shift != 0);
        return {.base = base, .multiplier = static_cast<u32>(multiplier), .shift = shift};
    }
    [[nodiscard]] ISR_SAFE constexpr Nanoseconds to_nanoseconds(u64 counter) const {
        return Nanoseconds{static_cast<i64>(static_cast<unsigned __int128>(counter - base) * multiplier >> shift)};
    }
};
[[nodiscard]] CounterScale counter_scale();
[[nodiscard]] u64 counter_frequency();  // Hz

// Wall-clock time (CLOCK_REALTIME) at the moment the monotonic clock was zero.
[[nodiscard]] Nanoseconds wall_clock_at_boot();

// This CPU's timer, interrupts off. One deadline at a time; a passed deadline fires at once; kNever disarms.
void arm_timer(Deadline deadline);
// Runs in Isr context when this CPU's deadline has passed; set once at boot.
void set_timer_handler(void (*handler)());

// Busy wait for the hardware's sake (start-up sequences); not for use by threads.
void delay(Nanoseconds duration);

}  // namespace tutti::hal
