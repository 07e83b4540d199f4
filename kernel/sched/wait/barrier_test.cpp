// SPDX-License-Identifier: BSD-3-Clause
#include "sched/wait/barrier.hpp"

#include <optional>

#include "sched/wait/crew_test.hpp"

namespace tutti::sched {
namespace {

// Round after round with more threads than CPUs: nobody is a round ahead, and each round has one last thread.
TEST(barrier, keeps_threads_together) {
    constexpr u32 kRounds = 60;
    u32 const threads = 2 * smp::online_count() + 1;
    Barrier barrier{threads};
    std::atomic<u32> arrived{0};
    std::atomic<u32> last{0};
    {
        Crew crew{threads, [&](u32 index) {
            SplitMix64 random = harness::random(index);
            for (u32 round = 0; round < kRounds; ++round) {
                if (random.below(4) == 0) yield();
                arrived.fetch_add(1, std::memory_order_relaxed);
                if (barrier.arrive_and_wait()) last.fetch_add(1, std::memory_order_relaxed);
                // relaxed: the barrier orders it.
                u32 const seen = arrived.load(std::memory_order_relaxed);
                EXPECT(seen >= (round + 1) * threads && seen < (round + 2) * threads);
            }
        }};
    }
    EXPECT_EQ(last.load(), kRounds);
}

TEST(barrier, of_one_never_waits) {
    Barrier barrier{1};
    EXPECT(barrier.arrive_and_wait());
    EXPECT(barrier.arrive_and_wait_until(past(), WaitMode::Interruptible).value_or(false));
}

// Who gives up has not arrived: the round waits for as many as before, and goes on when they come.
TEST_ALL_CPUS(barrier, takes_an_arrival_back) {
    static std::atomic<Barrier*> shared{nullptr};
    std::optional<Barrier> barrier;
    if (cpu.value() == 0) shared.store(&barrier.emplace(cpus + 1));
    harness::meet();
    Deadline const deadline = soon();
    EXPECT_ERROR(shared.load()->arrive_and_wait_until(deadline, WaitMode::Uninterruptible), Error::TimedOut);
    EXPECT(hal::now() >= deadline);
    harness::meet();
    if (cpu.value() == 0) {
        Crew one_more{1, [&](u32) { shared.load()->arrive_and_wait(); }};
        shared.load()->arrive_and_wait();
    } else {
        shared.load()->arrive_and_wait();
    }
    harness::meet();
}

TEST(barrier, wait_is_cancelled) {
    Barrier barrier{2};
    Crew waiter{1, [&](u32) {
        EXPECT_ERROR(barrier.arrive_and_wait_until(kNever, WaitMode::Interruptible), Error::Interrupted);
        current().clear_interrupt();
        EXPECT(!barrier.arrive_and_wait());
    }};
    yield_until_sleeping(waiter[0]);
    waiter[0].interrupt();
    yield_until([&] { return !waiter[0].is_interrupted(); });
    yield_until_sleeping(waiter[0]);
    EXPECT(barrier.arrive_and_wait());
}

}  // namespace
}  // namespace tutti::sched
