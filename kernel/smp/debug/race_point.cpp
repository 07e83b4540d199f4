// SPDX-License-Identifier: BSD-3-Clause
#include "smp/debug/race_point.hpp"

#include "arch/cpu.hpp"
#include "base/random.hpp"

namespace tutti::smp::detail {

constinit std::atomic<u32> longest_race_delay{0};

ISR_SAFE void race_delay() {
    u32 const longest = longest_race_delay.load(std::memory_order_relaxed);
    u64 const dice = SplitMix64{arch::read_counter()}.next();
    if (longest == 0 || (dice & 1) != 0) return;
    for (u64 left = (dice >> 1) % longest; left != 0; --left) arch::pause();
}

}  // namespace tutti::smp::detail
