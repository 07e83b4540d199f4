// SPDX-License-Identifier: BSD-3-Clause
#include "sched/wait/condition_variable.hpp"

#include "sched/wait/crew_test.hpp"

namespace tutti::sched {
namespace {

TEST(condition_variable, many_producers_and_consumers) {
    constexpr u32 kEach = 120;
    constexpr u32 kCapacity = 3;
    u32 const pairs = smp::online_count() + 2;
    Mutex mutex;
    ConditionVariable not_full;
    ConditionVariable not_empty;
    u32 ring[kCapacity];
    u32 in = 0;
    u32 out = 0;
    u64 sum = 0;
    {
        Crew crew{2 * pairs, [&](u32 index) {
            for (u32 i = 0; i < kEach; ++i) {
                MutexGuard guard{mutex};
                if (index < pairs) {
                    EXPECT(not_full.wait_until(mutex, [&] { return in - out < kCapacity; }).has_value());
                    ring[in++ % kCapacity] = index * kEach + i;
                    not_empty.notify_one();
                } else {
                    EXPECT(not_empty.wait_until(mutex, [&] { return in != out; }).has_value());
                    sum += ring[out++ % kCapacity];
                    not_full.notify_one();
                }
            }
        }};
    }
    u64 const total = u64{pairs} * kEach;
    EXPECT_EQ(u64{out}, total);
    EXPECT_EQ(sum, total * (total - 1) / 2);
}

TEST_ALL_CPUS(condition_variable, times_out_on_every_cpu) {
    Mutex mutex;
    ConditionVariable condition;
    MutexGuard guard{mutex};
    Deadline const deadline = soon();
    EXPECT_ERROR(condition.wait(mutex, deadline), Error::TimedOut);
    EXPECT(hal::now() >= deadline);
    EXPECT(mutex.is_held_by_current());
    EXPECT_ERROR(condition.wait_until(mutex, [] { return false; }, past()), Error::TimedOut);
    EXPECT(condition.wait_until(mutex, [] { return true; }, past()).has_value());
    EXPECT(mutex.is_held_by_current());
}

TEST(condition_variable, wait_is_cancelled_with_the_mutex_held) {
    Mutex mutex;
    ConditionVariable condition;
    Crew waiter{1, [&](u32) {
        MutexGuard guard{mutex};
        EXPECT_ERROR(condition.wait(mutex, kNever, WaitMode::Interruptible), Error::Interrupted);
        EXPECT(mutex.is_held_by_current());
    }};
    yield_until_sleeping(waiter[0]);
    waiter[0].interrupt();
}

// Impatient waiters come and go among patient ones. Each token is notified once; a notice that went to a waiter just giving
// up must not be gone: that waiter returns without an error, and looks.
TEST(condition_variable, loses_no_notice_to_waiters_that_give_up) {
    constexpr u32 kTokens = 150;
    u32 const consumers = smp::online_count() + 3;
    Mutex mutex;
    ConditionVariable condition;
    u32 tokens = 0;
    u32 taken = 0;
    bool closed = false;
    {
        Crew crew{consumers, [&](u32 index) {
            SplitMix64 random = harness::random(index);
            while (true) {
                MutexGuard guard{mutex};
                Deadline const deadline = index % 2 == 0
                                              ? kNever
                                              : hal::now() + Nanoseconds::from_us(static_cast<i64>(random.below(150)));
                if (tokens == 0 && !closed) (void)condition.wait(mutex, deadline);
                if (tokens != 0) {
                    --tokens;
                    ++taken;
                } else if (closed) {
                    return;
                }
            }
        }};
        for (u32 i = 0; i < kTokens; ++i) {
            {
                MutexGuard guard{mutex};
                ++tokens;
            }
            condition.notify_one();
            yield();
        }
        // All go without another notice, or somebody sleeps beside a token.
        bool all = false;
        while (!all) {
            yield();
            MutexGuard guard{mutex};
            all = taken == kTokens;
        }
        {
            MutexGuard guard{mutex};
            closed = true;
        }
        condition.notify_all();
    }
    EXPECT_EQ(taken, kTokens);
}

TEST(condition_variable, wakes_one_or_all) {
    Mutex mutex;
    ConditionVariable condition;
    constexpr u32 kWaiters = 20;
    u32 waiting = 0;  // under the mutex: who has been counted and let go of it waits for the condition
    std::atomic<u32> woken{0};
    Crew crew{kWaiters, [&](u32) {
        MutexGuard guard{mutex};
        ++waiting;
        EXPECT(condition.wait(mutex).has_value());
        woken.fetch_add(1);
    }};
    yield_until([&] {
        MutexGuard guard{mutex};
        return waiting == kWaiters;
    });
    condition.notify_one();
    yield_until([&] { return woken.load() == 1; });
    for (u32 i = 0; i < 50; ++i) yield();
    EXPECT_EQ(woken.load(), u32{1});
    condition.notify_all();
    crew.join();
    EXPECT_EQ(woken.load(), kWaiters);
}

}  // namespace
}  // namespace tutti::sched
