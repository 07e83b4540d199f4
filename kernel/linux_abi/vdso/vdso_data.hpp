// SPDX-License-Identifier: BSD-3-Clause
// The page that the kernel writes and the vDSO's code in every program reads: how to turn the CPU's counter into time.
// Shared by both, so it depends on nothing but fixed-width types; readers never see the kernel.
#pragma once

#include <cstdint>

namespace tutti::linux_abi::vdso {

// A sequence lock: `sequence` is odd while the kernel writes. Readers take it (acquire), read the fields, and start
// over when it was odd or has changed (after an acquire fence). Writers are serialised by the kernel.
struct Data {
    std::uint32_t sequence;
    std::uint32_t flags;
    // Monotonic nanoseconds = (counter - counter_base) * multiplier >> shift, in 128 bits: as hal::now() computes it.
    std::uint64_t counter_base;
    std::uint32_t multiplier;
    std::uint32_t shift;
    std::int64_t wall_offset;  // realtime = monotonic + this, nanoseconds
};

// flags
inline constexpr std::uint32_t kCounterValid = 1;    // otherwise every call goes to the kernel
inline constexpr std::uint32_t kCpuNumberValid = 2;  // the counter-with-processor-id instruction gives the CPU

}  // namespace tutti::linux_abi::vdso
