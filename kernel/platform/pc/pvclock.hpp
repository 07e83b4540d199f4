// SPDX-License-Identifier: BSD-3-Clause
// KVM's paravirtual clock, used for one thing: the host knows the frequency of the guest's TSC, so nothing need be
// measured. Source: Linux, Documentation/virt/kvm/x86/msr.rst (the ABI description).
#pragma once

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

// The TSC's frequency as KVM states it; 0 without KVM or without this clock. Boot CPU.
[[nodiscard]] u64 kvm_counter_frequency();

}  // namespace tutti::platform
