// SPDX-License-Identifier: BSD-3-Clause
#include "platform/pc/clock.hpp"

#include <algorithm>

#include "arch/cpu.hpp"
#include "base/assert.hpp"
#include "base/log.hpp"
#include "hal/clock.hpp"
#include "platform/pc/cmos.hpp"
#include "platform/pc/hypervisor.hpp"
#include "platform/pc/local_apic.hpp"
#include "platform/pc/pvclock.hpp"
#include "platform/xen/shared_info.hpp"
#include "platform/xen/xen.hpp"

namespace tutti::platform {
namespace {

constexpr char kKvmSignature[] = "KVMKVMKVM\0\0\0";
constexpr char kVmwareSignature[] = "VMwareVMware";

constinit hal::CounterScale scale{};
constinit u64 frequency = 0;        // of the TSC, Hz
constinit u64 ticks_per_ns = 0;     // TSC ticks for one nanosecond, 32.32 fixed point
constinit bool tsc_deadline = false;
constinit u64 timer_scale = 0;      // local APIC timer ticks for one nanosecond, 32.32 fixed point
constinit Nanoseconds boot_wall_clock{};
constinit void (*timer_handler)() = nullptr;

// TSC frequency as the hypervisor or the CPU states it; 0 when none does.
u64 stated_frequency() {
    if (u64 const hz = xen::counter_frequency(); hz != 0) return hz;
    if (u64 const hz = kvm_counter_frequency(); hz != 0) return hz;
    for (auto const* const signature : {&kKvmSignature, &kVmwareSignature}) {
        u32 const leaves = find_hypervisor(*signature);
        if (leaves == 0 || arch::cpuid(leaves).eax < leaves + 0x10) continue;
        if (u64 const khz = arch::cpuid(leaves + 0x10).eax; khz != 0) return khz * 1000;
    }
    if (arch::cpuid(0).eax >= 0x15) {
        auto const leaf = arch::cpuid(0x15);  // TSC = crystal * EBX / EAX
        if (leaf.eax != 0 && leaf.ebx != 0 && leaf.ecx != 0) return u64{leaf.ecx} * leaf.ebx / leaf.eax;
    }
    return 0;
}

void set_scale(u64 hz, u64 base) {
    frequency = hz;
    ticks_per_ns = static_cast<u64>((static_cast<unsigned __int128>(hz) << 32) / 1'000'000'000);
    scale = hal::CounterScale::of(hz, base);
}

void set_timer_scale(u64 hz) { timer_scale = static_cast<u64>((static_cast<unsigned __int128>(hz) << 32) / 1'000'000'000); }

}  // namespace

void clock_init(Calibration& calibration, u64 entry_counter) {
    CHECK((arch::cpuid(1).edx & (1u << 4)) != 0, "this CPU has no time-stamp counter");
    bool const has_deadline = (arch::cpuid(1).ecx & (1u << 24)) != 0;
    u64 const stated = stated_frequency();
    local_apic::timer_setup(false);
    if (stated != 0) {
        set_scale(stated, entry_counter);
        if (!has_deadline) set_timer_scale(measure_apic_timer(stated));
    } else {
        Frequencies const measured = calibration.finish();
        set_scale(measured.counter, entry_counter);
        set_timer_scale(measured.apic_timer);
    }
    tsc_deadline = has_deadline;
    boot_wall_clock = (xen::present() ? xen::wall_clock() : read_cmos_clock()) - hal::now();
    log_debug("clock: TSC {} kHz, timer {}", frequency / 1000, tsc_deadline ? "TSC deadline" : "one-shot");
}

void clock_init_cpu() { local_apic::timer_setup(tsc_deadline); }

ISR_SAFE void timer_interrupt() {
    if (timer_handler != nullptr) timer_handler();
}

}  // namespace tutti::platform

namespace tutti::hal {

using namespace platform;

ISR_SAFE Nanoseconds now() { return scale.to_nanoseconds(arch::read_tsc_ordered()); }
ISR_SAFE Nanoseconds sched_clock() { return scale.to_nanoseconds(arch::read_tsc()); }

CounterScale counter_scale() { return scale; }
u64 counter_frequency() { return frequency; }
ISR_SAFE Nanoseconds wall_clock_at_boot() { return boot_wall_clock; }
void set_timer_handler(void (*handler)()) { timer_handler = handler; }

ISR_SAFE void arm_timer(Deadline deadline) {
    if (tsc_deadline) {
        if (deadline == kNever) {
            arch::write_msr(arch::kMsrTscDeadline, 0);
            return;
        }
        // From now on, not from the start: what the conversion loses grows with the time that it is of. Rounded up, so that
        // the timer does not fire before its deadline; never 0, which would disarm it.
        u64 const counter = arch::read_tsc();
        u64 const left = static_cast<u64>(std::max<i64>((deadline - scale.to_nanoseconds(counter)).count(), 0));
        unsigned __int128 const ticks = (static_cast<unsigned __int128>(left) * ticks_per_ns >> 32) + 2;
        arch::write_msr(arch::kMsrTscDeadline, counter + static_cast<u64>(std::min<unsigned __int128>(ticks, ~u64{0} - counter)));
        return;
    }
    if (deadline == kNever) {
        local_apic::timer_one_shot(0);
        return;
    }
    // A count that is too small fires early by the conversion's rounding at most; the handler looks at the clock.
    i64 const delta = std::max<i64>((deadline - now()).count(), 1);
    unsigned __int128 const count = (static_cast<unsigned __int128>(delta) * timer_scale >> 32) + 1;
    local_apic::timer_one_shot(static_cast<u32>(std::min<unsigned __int128>(count, 0xffffffff)));
}

void delay(Nanoseconds duration) {
    Nanoseconds const until = now() + duration;
    while (now() < until) arch::pause();
}

}  // namespace tutti::hal
