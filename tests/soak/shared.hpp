// SPDX-License-Identifier: BSD-3-Clause
// What the workers of one round share, and what must hold of it when all have ended.
#pragma once

#include <pthread.h>
#include <semaphore.h>

#include <atomic>
#include <cstdint>
#include <vector>

#include "worker.hpp"

namespace soak {

struct Shared {
    explicit Shared(int workers);
    ~Shared();
    Shared(Shared const&) = delete;
    Shared& operator=(Shared const&) = delete;

    // Prints what does not hold; true when all does.
    bool check() const;

    std::vector<Worker> workers;

    // A plain counter under a mutex equals the number of times that it was raised.
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    std::uint64_t counter = 0;
    std::atomic<std::uint64_t> raised{0};

    // Tokens that travel through a pipe: as many come out as go in, with the same sum.
    int pipe_ends[2] = {-1, -1};
    std::atomic<std::uint64_t> tokens_in{0}, tokens_out{0}, sum_in{0}, sum_out{0};

    // A queue of a condition variable: every item that is put is taken.
    pthread_mutex_t queue_mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t queue_filled = PTHREAD_COND_INITIALIZER;
    std::uint64_t queue_items = 0;

    // Queued signals: every one sent is handled.
    std::atomic<std::uint64_t> signals_sent{0};
    std::atomic<std::uint64_t> threads_started{0}, threads_ran{0};

    std::atomic<std::int64_t> worst_lateness{0};  // of a sleep, ns
};

extern std::atomic<std::uint64_t> signals_handled;
int storm_signal();

}  // namespace soak
