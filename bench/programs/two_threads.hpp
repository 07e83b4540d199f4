// SPDX-License-Identifier: BSD-3-Clause
// Two threads that hand a turn to each other.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace bench {

class TwoThreads {
public:
    // The CPUs on which the calling thread and the other run; -1: wherever the scheduler puts them.
    TwoThreads(int first_cpu, int second_cpu) : first_cpu_(first_cpu), second_cpu_(second_cpu) {}

    void futex_ping_pong(long count);
    void pipe_ping_pong(long count);
    void yield_ping_pong(long count);

private:
    // Runs `first` here and `second` in another thread, each `count` times.
    void run(long count, std::function<void()> const& first, std::function<void()> const& second);

    int first_cpu_;
    int second_cpu_;
};

}  // namespace bench
