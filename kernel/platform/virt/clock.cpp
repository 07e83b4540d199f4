// SPDX-License-Identifier: BSD-3-Clause
// The generic timer: its virtual counter is the clock of all CPUs, its virtual timer each CPU's own (Arm ARM, D11).
#include "platform/virt/clock.hpp"

#include <algorithm>

#include "arch/cpu.hpp"
#include "base/assert.hpp"
#include "base/log.hpp"
#include "hal/clock.hpp"
#include "platform/virt/boot_memory.hpp"

namespace tutti::platform {
namespace {

constinit hal::CounterScale scale{};
constinit u64 frequency = 0;
constinit u64 ticks_per_ns = 0;  // 32.32 fixed point
constinit Nanoseconds boot_wall_clock{};
constinit void (*timer_handler)() = nullptr;

void set_scale(u64 hz, u64 base) {
    frequency = hz;
    ticks_per_ns = static_cast<u64>((static_cast<unsigned __int128>(hz) << 32) / 1'000'000'000);
    scale = hal::CounterScale::of(hz, base);
}

}  // namespace

void clock_init(DeviceTree const& tree, u64 entry_counter) {
    u64 const hz = arch::read_counter_frequency();
    CHECK(hz != 0, "firmware has not set the frequency of the counter (CNTFRQ_EL0)");
    set_scale(hz, entry_counter);
    arch::write_timer_control(0);
    if (!tree.pl031.is_null()) {
        // PL031, register RTCDR: seconds since 1970 (Arm DDI 0224).
        auto const* const rtc = static_cast<u32 const volatile*>(boot_map_device(tree.pl031, kPageSize));
        boot_wall_clock = Nanoseconds::from_s(rtc[0]) - hal::now();
    }
    log_debug("clock: counter {} kHz", hz / 1000);
}

ISR_SAFE void timer_interrupt() {
    arch::write_timer_control(0);  // its interrupt is a level
    if (timer_handler != nullptr) timer_handler();
}

}  // namespace tutti::platform

namespace tutti::hal {

using namespace platform;

ISR_SAFE Nanoseconds now() { return scale.to_nanoseconds(arch::read_counter()); }
ISR_SAFE Nanoseconds sched_clock() { return scale.to_nanoseconds(arch::read_counter_unordered()); }

CounterScale counter_scale() { return scale; }
u64 counter_frequency() { return frequency; }
ISR_SAFE Nanoseconds wall_clock_at_boot() { return boot_wall_clock; }
void set_timer_handler(void (*handler)()) { timer_handler = handler; }

ISR_SAFE void arm_timer(Deadline deadline) {
    if (deadline == kNever) {
        arch::write_timer_control(0);
        return;
    }
    // From now on, not from the start: what the conversion loses grows with the time that it is of. Rounded up, so that the
    // timer does not fire before its deadline.
    u64 const counter = arch::read_counter();
    u64 const left = static_cast<u64>(std::max<i64>((deadline - scale.to_nanoseconds(counter)).count(), 0));
    unsigned __int128 const ticks = (static_cast<unsigned __int128>(left) * ticks_per_ns >> 32) + 2;
    arch::write_timer_compare(counter + static_cast<u64>(std::min<unsigned __int128>(ticks, ~u64{0} - counter)));
    arch::write_timer_control(1);
}

void delay(Nanoseconds duration) {
    Nanoseconds const until = now() + duration;
    while (now() < until) arch::pause();
}

}  // namespace tutti::hal
