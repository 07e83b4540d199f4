// SPDX-License-Identifier: BSD-3-Clause
#include "platform/pc/calibration.hpp"

#include "arch/cpu.hpp"
#include "base/assert.hpp"
#include "platform/pc/local_apic.hpp"

namespace tutti::platform {
namespace {

// One tick of the PM timer in this is 70 millionths, the worst error there is.
constexpr u64 kWindowUs = 4000;

u32 read_pm_timer(u16 port) { return arch::in32(port); }

// Channel 0 counts down from 65535 once (mode 0). Its output says whether it has passed zero: on a machine that was kept
// from running for 55 ms the count alone would lie.
constexpr u32 kPassedZero = 1u << 31;
void start_pit() {
    arch::out8(0x43, 0x30);
    arch::out8(0x40, 0xff);
    arch::out8(0x40, 0xff);
}
u32 read_pit(u16) {
    arch::out8(0x43, 0xc2);  // read back: latch status and count of channel 0
    u32 const status = arch::in8(0x40);
    u32 const low = arch::in8(0x40);
    u32 const count = low | u32{arch::in8(0x40)} << 8;
    return count | ((status & 0x80) != 0 ? kPassedZero : 0);
}

u64 scaled(u64 ticks, u64 frequency, u64 elapsed) {
    return static_cast<u64>(static_cast<unsigned __int128>(ticks) * frequency / elapsed);
}

}  // namespace

u64 measure_apic_timer(u64 counter_frequency) {
    constexpr u32 kMost = ~0u;
    u64 const window = counter_frequency / 1'000'000 * kWindowUs;
    local_apic::timer_one_shot(kMost);
    u64 const start = arch::read_tsc_ordered();
    while (arch::read_tsc_ordered() - start < window) arch::pause();
    u64 const before = arch::read_tsc_ordered();
    u32 const ticks = kMost - local_apic::timer_count();
    u64 const after = arch::read_tsc_ordered();
    local_apic::timer_one_shot(0);
    return scaled(ticks, counter_frequency, before + (after - before) / 2 - start);
}

Calibration::Sample Calibration::sample() const {
    Sample best{};
    u64 best_width = ~u64{0};
    for (int i = 0; i < 5; ++i) {
        u64 const before = arch::read_tsc_ordered();
        u32 const reference = reference_.read(reference_.port);
        u64 const after = arch::read_tsc_ordered();
        if (after - before < best_width) {
            best_width = after - before;
            best = {before + (after - before) / 2, reference};
        }
    }
    return best;
}

void Calibration::begin(AcpiFacts const& acpi) {
    if (acpi.pm_timer_port != 0) {
        reference_ = {read_pm_timer, acpi.pm_timer_port, 3'579'545, acpi.pm_timer_32bit ? ~0u : 0xffffff, false};
    } else {
        reference_ = {read_pit, 0, 1'193'182, 0xffff, true};
    }
    restart();
}

void Calibration::restart() {
    if (is_pit()) start_pit();
    first_ = sample();
}

Frequencies Calibration::finish() {
    constexpr u32 kMost = ~0u;
    local_apic::timer_one_shot(kMost);
    u64 const apic_start = arch::read_tsc_ordered();
    u64 const wanted = reference_.frequency * kWindowUs / 1'000'000;
    constexpr u64 kApicWindowUs = 500;  // both are fast counters: no tick to lose
    Sample last = sample();
    u64 elapsed = 0;
    // A reference that stands still, or a PIT that never gets through, ends the loop: 2^32 counter ticks are over a
    // second on any machine.
    bool enough = false;
    while (!enough && last.counter - apic_start < (u64{1} << 32)) {
        arch::pause();
        last = sample();
        if (is_pit() && (last.reference & kPassedZero) != 0) {
            restart();
            last = first_;
        }
        elapsed = (reference_.counts_down ? first_.reference - last.reference : last.reference - first_.reference) &
                  reference_.mask;
        enough = elapsed >= wanted &&
                 scaled(last.counter - apic_start, elapsed, last.counter - first_.counter) >= wanted * kApicWindowUs / kWindowUs;
    }
    CHECK(enough, "the reference clock stands still: this machine offers no usable timer");
    u64 const before = arch::read_tsc_ordered();
    u32 const apic_ticks = kMost - local_apic::timer_count();
    u64 const after = arch::read_tsc_ordered();
    local_apic::timer_one_shot(0);
    u64 const counter = scaled(last.counter - first_.counter, reference_.frequency, elapsed);
    return {counter, scaled(apic_ticks, counter, before + (after - before) / 2 - apic_start)};
}

}  // namespace tutti::platform
