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

// --- Calibration -----------------------------------------------------------------------------------------------------
// A reference clock of known frequency is read together with the TSC and the local APIC timer at the start and the end
// of a few milliseconds. Of several readings at each end the one with the smallest TSC distance around it counts, so
// that a host that takes the CPU away in between does not matter.

struct Reference {
    u32 (*read)(u16 port);
    u16 port;
    u64 frequency;
    u32 mask;
    bool counts_down;
};

u32 read_pm_timer(u16 port) { return arch::in32(port); }
u32 read_pit(u16) {
    arch::out8(0x43, 0x00);  // latch channel 0
    u32 const low = arch::in8(0x40);
    return low | u32{arch::in8(0x40)} << 8;
}

struct Sample {
    u64 tsc;
    u32 reference;
    u32 apic;
};

Sample sample(Reference const& clock) {
    Sample best{};
    u64 best_width = ~u64{0};
    for (int i = 0; i < 5; ++i) {
        u64 const before = arch::read_tsc();
        u32 const reference = clock.read(clock.port);
        u32 const apic = local_apic::timer_count();
        u64 const after = arch::read_tsc();
        if (after - before < best_width) {
            best_width = after - before;
            best = {before + (after - before) / 2, reference, apic};
        }
    }
    return best;
}

struct Calibration {
    u64 tsc_frequency;
    u64 apic_frequency;
};

Calibration calibrate(Reference const& clock) {
    constexpr u64 kWindowUs = 4000;
    local_apic::timer_one_shot(~0u);
    Sample const first = sample(clock);
    u64 const wanted = clock.frequency * kWindowUs / 1'000'000;
    Sample last = first;
    u64 elapsed = 0;
    // A reference that stands still ends the loop: 2^32 TSC ticks are over a second on any machine.
    while (elapsed < wanted && last.tsc - first.tsc < (u64{1} << 32)) {
        arch::pause();
        last = sample(clock);
        elapsed = (clock.counts_down ? first.reference - last.reference : last.reference - first.reference) & clock.mask;
    }
    local_apic::timer_one_shot(0);
    CHECK(elapsed >= wanted, "the reference clock stands still: this machine offers no usable timer");
    return {static_cast<u64>(static_cast<unsigned __int128>(last.tsc - first.tsc) * clock.frequency / elapsed),
            static_cast<u64>(static_cast<unsigned __int128>(first.apic - last.apic) * clock.frequency / elapsed)};
}

// TSC frequency as the hypervisor or the CPU states it; 0 when none does.
u64 stated_frequency() {
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
    // multiplier = 10^9 * 2^shift / hz must fit 32 bits; the larger the shift, the finer.
    u32 shift = 32;
    u64 multiplier = 0;
    do {
        multiplier = static_cast<u64>((static_cast<unsigned __int128>(1'000'000'000) << shift) / hz);
        if (multiplier <= 0xffffffff) break;
        --shift;
    } while (shift != 0);
    ticks_per_ns = static_cast<u64>((static_cast<unsigned __int128>(hz) << 32) / 1'000'000'000);
    scale = {.base = base, .multiplier = static_cast<u32>(multiplier), .shift = shift};
}

}  // namespace

void clock_init(AcpiFacts const& acpi, u64 entry_counter) {
    CHECK((arch::cpuid(1).edx & (1u << 4)) != 0, "this CPU has no time-stamp counter");
    bool const has_deadline = (arch::cpuid(1).ecx & (1u << 24)) != 0;
    u64 const stated = stated_frequency();
    local_apic::timer_setup(false);
    if (stated != 0 && has_deadline) {
        set_scale(stated, entry_counter);
    } else {
        Reference clock{read_pit, 0, 1'193'182, 0xffff, true};
        if (acpi.pm_timer_port != 0)
            clock = {read_pm_timer, acpi.pm_timer_port, 3'579'545, acpi.pm_timer_32bit ? ~0u : 0xffffff, false};
        else {
            arch::out8(0x43, 0x34);  // channel 0, rate generator, reload 65536: wraps after 55 ms
            arch::out8(0x40, 0);
            arch::out8(0x40, 0);
        }
        Calibration const measured = calibrate(clock);
        set_scale(stated != 0 ? stated : measured.tsc_frequency, entry_counter);
        timer_scale = static_cast<u64>((static_cast<unsigned __int128>(measured.apic_frequency) << 32) / 1'000'000'000);
    }
    tsc_deadline = has_deadline;
    boot_wall_clock = read_cmos_clock() - hal::now();
    log_debug("clock: TSC {} kHz, timer {}", frequency / 1000, tsc_deadline ? "TSC deadline" : "one-shot");
}

void clock_init_cpu() { local_apic::timer_setup(tsc_deadline); }

void timer_interrupt() {
    if (timer_handler != nullptr) timer_handler();
}

}  // namespace tutti::platform

namespace tutti::hal {

using namespace platform;

Nanoseconds now() {
    u64 const ticks = arch::read_tsc_ordered() - scale.base;
    return Nanoseconds{static_cast<i64>(static_cast<unsigned __int128>(ticks) * scale.multiplier >> scale.shift)};
}

CounterScale counter_scale() { return scale; }
u64 counter_frequency() { return frequency; }
Nanoseconds wall_clock_at_boot() { return boot_wall_clock; }
void set_timer_handler(void (*handler)()) { timer_handler = handler; }

void arm_timer(Deadline deadline) {
    if (tsc_deadline) {
        if (deadline == kNever) {
            arch::write_msr(arch::kMsrTscDeadline, 0);
            return;
        }
        u64 const ns = static_cast<u64>(std::max<i64>(deadline.count(), 0));
        // Rounded up, so that the timer never fires before its deadline; never 0, which would disarm it.
        unsigned __int128 const ticks = (static_cast<unsigned __int128>(ns) * ticks_per_ns >> 32) + 2;
        arch::write_msr(arch::kMsrTscDeadline,
                        scale.base + static_cast<u64>(std::min<unsigned __int128>(ticks, ~u64{0} - scale.base)));
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
