// SPDX-License-Identifier: BSD-3-Clause
// Growing, bounded pauses between two looks at a word for which several CPUs compete: each look takes the line from the
// CPU that holds the lock and is about to release it.
#pragma once

#include "arch/cpu.hpp"
#include "base/types.hpp"

namespace tutti::smp {

class Backoff {
  public:
    // Longest pause: about a microsecond of x86 pauses.
    static constexpr u32 kMostPauses = 64;

    // Pauses; shorter where the machine can watch `word` and it no longer holds `seen`.
    template <class Word, class Value>
    void wait(Word const& word, Value seen) {
        for (u32 i = 0; i < pauses_; ++i) arch::wait_for_change(word, seen);
        if (pauses_ < kMostPauses) pauses_ *= 2;
    }

  private:
    u32 pauses_ = 1;
};

}  // namespace tutti::smp
