// SPDX-License-Identifier: BSD-3-Clause
// What a strand (a simulated CPU) knows about the others: vector clocks over their events.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tutti::interleave {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using u128 = unsigned __int128;

inline constexpr u32 kMaxStrands = 8;  // simulated CPUs and one for set-up and the final checks

struct Clock {
    alignas(16) u16 at[kMaxStrands] = {};

    void join(Clock const& other) {
        for (u32 i = 0; i < kMaxStrands; ++i)
            if (other.at[i] > at[i]) at[i] = other.at[i];
    }
};

// `happened` is happens-before: what race detection and synchronisation use. `seen` is at least that; SC fences add to it
// what earlier SC fences had seen, which bounds reads but orders no plain data ([atomics.order]/4). `sc` counts the
// seq_cst accesses that an SC fence has put behind this strand.
struct Knowledge {
    Clock happened, seen, sc;

    void join(Knowledge const& other) {
        happened.join(other.happened);
        seen.join(other.seen);
        sc.join(other.sc);
    }
};

[[nodiscard]] inline u64 mix(u64 hash, u64 value) {
    u128 const product = u128{hash ^ value ^ 0x9e3779b97f4a7c15u} * 0xd6e8feb86659fd93u;
    return static_cast<u64>(product) ^ static_cast<u64>(product >> 64) ^ (value << 17);
}

}  // namespace tutti::interleave
