// SPDX-License-Identifier: BSD-3-Clause
// A thread of the storm: what it is doing now, for the watchdog, and its random numbers.
#pragma once

#include <pthread.h>
#include <sys/types.h>
#include <time.h>

#include <atomic>
#include <cstdint>

namespace soak {

inline std::int64_t now_ns() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

struct alignas(64) Worker {
    int index = 0;
    pthread_t thread{};
    std::atomic<pid_t> tid{0};
    std::atomic<char const*> doing{nullptr};    // the operation's name; null between operations
    std::atomic<std::int64_t> since{0};         // when it began
    std::atomic<std::uint64_t> operations{0};
    std::uint64_t random_state = 1;

    // xorshift64*: the order of one thread's operations follows from the seed.
    std::uint64_t random() {
        random_state ^= random_state >> 12;
        random_state ^= random_state << 25;
        random_state ^= random_state >> 27;
        return random_state * 2685821657736338717ULL;
    }
    std::uint64_t random_below(std::uint64_t limit) { return random() % limit; }
};

// Ends the program when something that must hold does not.
[[noreturn]] __attribute__((format(printf, 2, 3))) void broken(Worker const& worker, char const* format, ...);

}  // namespace soak
