// SPDX-License-Identifier: BSD-3-Clause
// How the two sides' threads get their work: one job at a time, posted by the runner (main.cpp), done by the first
// `threads` members of a crew, who start together. Host code and kernel code share this.
#pragma once

#include <atomic>

#include "contest.hpp"

namespace tutti::bench {

struct Job {
    void (*run)(Worker&) = nullptr;
    void (*call)() = nullptr;  // instead of run: set-up and the like, by member 0
    Worker* workers = nullptr;
    std::atomic<unsigned> arrived{0};
    std::atomic<bool> go{false};
    std::atomic<unsigned> finished{0};
    std::atomic<long> disturbances{0};  // times that the host took the processor from a member
};

// The newest job of a crew. Its ticket says which it is and who takes part: members from `ticket & kThreads` on have
// nothing to do with it, and may miss it.
inline constexpr unsigned kThreads = 0xff;
struct Crew {
    Job* job = nullptr;  // written before the ticket
    std::atomic<unsigned> ticket{0};
};
extern Crew our_crew;
extern Crew peer_crew;

// `disturbances()` counts how often the host took the processor from the calling thread.
template <class Count>
void do_job(Crew& crew, unsigned index, Count&& disturbances) {
    Job& job = *crew.job;
    job.arrived.fetch_add(1, std::memory_order_acq_rel);
    while (!job.go.load(std::memory_order_acquire)) {
    }
    long const before = disturbances();
    if (job.call != nullptr)
        job.call();
    else
        job.run(job.workers[index]);
    job.disturbances.fetch_add(disturbances() - before, std::memory_order_relaxed);
    job.finished.fetch_add(1, std::memory_order_release);
}

// Turns the calling thread into our machine's boot CPU; its crew then does the jobs of our_crew. Does not return.
[[noreturn]] void run_machine(unsigned cpus);

}  // namespace tutti::bench
