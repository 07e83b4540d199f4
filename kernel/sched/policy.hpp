// SPDX-License-Identifier: BSD-3-Clause
// How a thread competes for CPUs.
#pragma once

#include "base/compiler.hpp"
#include "base/types.hpp"

namespace tutti::sched {

enum class PolicyKind : u8 {
    Fair,        // shares by virtual time, weighted by nice (SCHED_OTHER, SCHED_BATCH)
    Idle,        // as Fair with the least weight of all (SCHED_IDLE)
    Fifo,        // real-time: runs until it blocks, yields or a higher priority comes
    RoundRobin,  // real-time: as Fifo, in turns with its equals
};

struct alignas(4) Policy {
    PolicyKind kind = PolicyKind::Fair;
    i8 nice = 0;      // -20 .. 19; Fair only
    u8 priority = 0;  // 1 .. 99, higher first; Fifo and RoundRobin only
    u8 reserved = 0;  // one word, read and written as an atomic

    [[nodiscard]] constexpr bool is_realtime() const {
        return kind == PolicyKind::Fifo || kind == PolicyKind::RoundRobin;
    }
    [[nodiscard]] constexpr bool is_valid() const {
        return is_realtime() ? priority >= 1 && priority <= 99 : nice >= -20 && nice <= 19 && priority == 0;
    }
    friend constexpr bool operator==(Policy, Policy) = default;
};

inline constexpr u8 kMaxRealtimePriority = 99;
inline constexpr Nanoseconds kRoundRobinSlice = Nanoseconds::from_ms(10);

// The share of a Fair thread: each step of nice is a factor of about 1.25, so that one step moves about 10 % of a CPU
// between two threads. kUnitWeight belongs to nice 0.
inline constexpr u32 kUnitWeight = 1024;
[[nodiscard]] ISR_SAFE constexpr u32 weight_of(Policy policy) {
    if (policy.kind == PolicyKind::Idle) return 3;
    u64 weight = u64{kUnitWeight} << 20;
    for (int step = policy.nice; step < 0; ++step) weight = weight * 5 / 4;
    for (int step = policy.nice; step > 0; --step) weight = weight * 4 / 5;
    return static_cast<u32>(weight >> 20);
}

}  // namespace tutti::sched
