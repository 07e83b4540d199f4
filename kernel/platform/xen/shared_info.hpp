// SPDX-License-Identifier: BSD-3-Clause
// The page that Xen shares with the domain: time, and the bits of event channels. Source: Xen, public/xen.h, which has
// the layout by architecture.
#pragma once

#include <atomic>

#include "base/types.hpp"
#include "platform/pc/pvclock.hpp"

namespace tutti::platform::xen {

struct VcpuInfo {
    std::atomic<u8> upcall_pending;
    u8 mask;
    std::atomic<u64> pending_words;  // bit N: word N of SharedInfo::pending is worth a look
#if defined(__x86_64__)
    u64 arch[2];
#endif
    PvClockTime time;
};

struct SharedInfo {
#if defined(__x86_64__)
    static constexpr size_t kVcpus = 32;
#else
    static constexpr size_t kVcpus = 1;
#endif
    static constexpr size_t kWords = 64;

    VcpuInfo vcpus[kVcpus];  // of the first ones, until they have one elsewhere
    std::atomic<u64> pending[kWords];
    std::atomic<u64> masked[kWords];
    u32 wall_clock_version;  // odd while Xen writes
    u32 wall_clock_seconds;  // at the start of system time
    u32 wall_clock_nanoseconds;
    u32 wall_clock_seconds_high;
};
#if defined(__x86_64__)
static_assert(sizeof(VcpuInfo) == 64);
#else
static_assert(sizeof(VcpuInfo) == 48);
#endif
static_assert(sizeof(SharedInfo) <= kPageSize);

// Boot CPU, while boot allocations last. Stops the machine when Xen refuses.
void shared_info_init();
// Null before.
[[nodiscard]] SharedInfo* shared_info();

// Ticks of the TSC a second; 0 when Xen's words make no sense.
[[nodiscard]] u64 counter_frequency();
// The time of day.
[[nodiscard]] Nanoseconds wall_clock();

}  // namespace tutti::platform::xen
