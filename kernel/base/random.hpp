// SPDX-License-Identifier: BSD-3-Clause
// A fast, seedable generator for tests and for spreading load: SplitMix64 (Steele, Lea, Flood, "Fast Splittable
// Pseudorandom Number Generators", OOPSLA 2014). Not for secrets: drivers/rng has those.
#pragma once

#include "base/types.hpp"

namespace tutti {

class SplitMix64 {
  public:
    constexpr explicit SplitMix64(u64 seed) : state_{seed} {}

    constexpr u64 next() {
        u64 z = (state_ += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    // Uniform enough for tests: below `bound`, which is not zero.
    constexpr u64 below(u64 bound) { return next() % bound; }

  private:
    u64 state_;
};

}  // namespace tutti
