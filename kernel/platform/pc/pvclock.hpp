// SPDX-License-Identifier: BSD-3-Clause
// The paravirtual clock of KVM and Xen, which know the frequency of the guest's TSC, so that nothing need be measured.
// Source: Linux, Documentation/virt/kvm/x86/msr.rst (the ABI description); Xen, public/xen.h.
#pragma once

#include "base/compiler.hpp"
#include "base/types.hpp"

namespace tutti::platform {

// What the host writes for each CPU: ns = (ticks << shift) * multiplier >> 32, or >> -shift when shift is negative.
struct PvClockTime {
    u32 version;  // odd while the host writes
    u32 reserved;
    u64 counter;
    u64 nanoseconds;
    u32 multiplier;
    i8 shift;
    u8 flags;
    u8 reserved2[2];
};
static_assert(sizeof(PvClockTime) == 32);

// One moment of what the host keeps writing. Where it never settles, what was read last.
[[nodiscard]] inline PvClockTime pvclock_read(PvClockTime const* from) {
    auto const* const shared = const_cast<PvClockTime const volatile*>(from);
    PvClockTime time{};
    for (int i = 0; i < 1000; ++i) {
        u32 const version = shared->version;
        compiler_barrier();
        time = {.version = version,
                .counter = shared->counter,
                .nanoseconds = shared->nanoseconds,
                .multiplier = shared->multiplier,
                .shift = shared->shift,
                .flags = shared->flags};
        compiler_barrier();
        if ((version & 1) == 0 && version == shared->version) break;
    }
    return time;
}

// The host's clock when the TSC is `counter`.
[[nodiscard]] constexpr u64 pvclock_nanoseconds(PvClockTime const& time, u64 counter) {
    unsigned __int128 ticks = counter - time.counter;
    ticks = time.shift >= 0 ? ticks << time.shift : ticks >> -time.shift;
    return time.nanoseconds + static_cast<u64>(ticks * time.multiplier >> 32);
}

// Ticks a second, or 0 when the fields make no sense.
[[nodiscard]] constexpr u64 pvclock_frequency(u32 multiplier, int shift) {
    constexpr int kMostShift = 31;
    if (multiplier == 0 || shift > kMostShift || shift < -kMostShift) return 0;
    u64 const product = u64{1'000'000'000} << 32;  // 62 bits
    u64 const quotient = product / multiplier;
    u64 const remainder = product % multiplier;
    if (shift >= 0) return quotient >> shift;
    int const up = -shift;
    if (quotient >> (63 - up) != 0) return 0;
    return (quotient << up) + (remainder << up) / multiplier;  // the remainder fits 32 bits
}

[[nodiscard]] constexpr u64 pvclock_frequency(PvClockTime const& time) {
    return time.version == 0 || (time.version & 1) != 0 ? 0 : pvclock_frequency(time.multiplier, time.shift);
}

// The TSC's frequency as KVM states it; 0 without KVM or without this clock. Boot CPU.
[[nodiscard]] u64 kvm_counter_frequency();

}  // namespace tutti::platform
