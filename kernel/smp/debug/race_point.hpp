// SPDX-License-Identifier: BSD-3-Clause
// Widens the windows of races for tests. A race_point() stands where other CPUs may do everything before this one goes
// on: after a lock is released while its object is still in use, between two halves of a protocol. Debug builds only.
#pragma once

#include <atomic>

#include "base/compiler.hpp"
#include "base/types.hpp"

namespace tutti::smp {

namespace detail {
extern constinit std::atomic<u32> longest_race_delay;  // in pauses; 0: off
NOINLINE void race_delay();
}  // namespace detail

// Any context.
ALWAYS_INLINE void race_point() {
    if constexpr (kDebugBuild) {
        // relaxed: a switch for tests.
        if (detail::longest_race_delay.load(std::memory_order_relaxed) != 0) [[unlikely]] detail::race_delay();
    }
}

// While one lives, on whichever CPU, about half of all race points wait for a time between nothing and `pauses` spins.
class RaceAmplifier {
  public:
    explicit RaceAmplifier(u32 pauses) {
        count.fetch_add(1, std::memory_order_relaxed);
        detail::longest_race_delay.store(pauses, std::memory_order_relaxed);
    }
    RaceAmplifier(RaceAmplifier const&) = delete;
    RaceAmplifier& operator=(RaceAmplifier const&) = delete;
    ~RaceAmplifier() {
        if (count.fetch_sub(1, std::memory_order_relaxed) == 1) detail::longest_race_delay.store(0, std::memory_order_relaxed);
    }

  private:
    static inline constinit std::atomic<u32> count{0};
};

}  // namespace tutti::smp
