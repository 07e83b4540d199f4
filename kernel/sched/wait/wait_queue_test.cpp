// SPDX-License-Identifier: BSD-3-Clause
#include "sched/wait/wait_queue.hpp"

#include "sched/wait/crew_test.hpp"

namespace tutti::sched {
namespace {

TEST(wait_queue, wakes_as_many_as_asked_in_order) {
    WaitQueue queue;
    constexpr u32 kWaiters = 40;  // more than a batch
    std::atomic<u32> entered{0};
    std::atomic<u32> open{0};  // how many may leave
    std::atomic<u32> left{0};
    Crew crew{kWaiters, [&](u32 index) {
        yield_until([&] { return entered.load() == index; });
        WaitQueue::Entry entry;
        queue.add(entry);
        entered.fetch_add(1);
        EXPECT(park_until([&] { return entry.is_woken(); }).has_value());
        EXPECT(!queue.remove(entry));
        EXPECT(index < open.load());
        left.fetch_add(1);
    }};
    yield_until([&] { return entered.load() == kWaiters; });
    EXPECT_EQ(queue.wake(0), u32{0});
    open.store(1);
    EXPECT_EQ(queue.wake_one(), u32{1});
    open.store(21);
    EXPECT_EQ(queue.wake(20), u32{20});
    open.store(kWaiters);
    EXPECT_EQ(queue.wake_all(), kWaiters - 21);
    crew.join();
    EXPECT_EQ(left.load(), kWaiters);
    EXPECT(queue.empty());
    EXPECT_EQ(queue.wake_all(), u32{0});
}

// Threads that come back as soon as they are woken do not keep wake_all() busy.
TEST(wait_queue, wake_all_ends_though_threads_come_back) {
    WaitQueue queue;
    constexpr u32 threads = 20;  // more than a batch
    std::atomic<bool> done{false};
    Crew crew{threads, [&](u32) {
        while (!done.load()) {
            bool came = false;
            (void)queue.wait_until([&] { return done.load() || std::exchange(came, true); });
        }
    }};
    for (u32 i = 0; i < 10; ++i) {
        EXPECT(queue.wake_all() <= threads);
        yield();
    }
    done.store(true);
    queue.wake_all();
}

TEST(wait_queue, tells_observers_each_time) {
    struct Counting : WaitQueue::Observer {
        Counting() : Observer{[](Observer& self, u32 events) ISR_SAFE_LAMBDA {
            auto& counting = static_cast<Counting&>(self);
            ++counting.calls;
            counting.last_events = events;
        }} {}
        u32 calls = 0;
        u32 last_events = 0;
    };
    WaitQueue queue;
    Counting first;
    Counting second;
    queue.add(first);
    queue.add(second);
    EXPECT_EQ(queue.wake_one(5), u32{0});
    {
        constexpr u32 kWaiters = 20;
        std::atomic<bool> go{false};
        Crew crew{kWaiters, [&](u32) { EXPECT(queue.wait_until([&] { return go.load(); }).has_value()); }};
        for (u32 i = 0; i < kWaiters; ++i) yield_until_sleeping(crew[i]);
        go.store(true);
        EXPECT_EQ(queue.wake_all(9), kWaiters);
    }
    EXPECT_EQ(first.calls, u32{2});
    EXPECT_EQ(second.calls, u32{2});
    EXPECT_EQ(second.last_events, u32{9});
    EXPECT(queue.remove(first) && queue.remove(second));
}

TEST_ALL_CPUS(wait_queue, times_out_on_every_cpu) {
    static WaitQueue queue;
    Deadline const deadline = soon();
    EXPECT_ERROR(queue.wait_until([] { return false; }, deadline), Error::TimedOut);
    EXPECT(hal::now() >= deadline);
    EXPECT_ERROR(queue.wait_until([] { return false; }, past()), Error::TimedOut);
    EXPECT(queue.wait_until([] { return true; }, past()).has_value());
    harness::meet();
    EXPECT(queue.empty());
}

// Each token is put out with one wake_one(). A waiter that was chosen and gives up must pass it on.
TEST(wait_queue, passes_a_wake_up_on_when_a_waiter_gives_up) {
    constexpr u32 kTokens = 200;
    u32 const threads = smp::online_count() + 4;
    WaitQueue queue;
    std::atomic<i32> tokens{0};
    std::atomic<u32> taken{0};
    auto const take = [&] {
        i32 seen = tokens.load();
        while (seen > 0)
            if (tokens.compare_exchange_weak(seen, seen - 1)) return true;
        return false;
    };
    {
        Crew crew{threads, [&](u32 index) {
            SplitMix64 random = harness::random(index);
            while (taken.load() < kTokens) {
                bool const patient = index < 2;
                Result<> const waited = queue.wait_until(
                    [&] { return take() || taken.load() == kTokens; },
                    patient ? kNever : hal::now() + Nanoseconds::from_us(static_cast<i64>(random.below(150))),
                    patient ? WaitMode::Uninterruptible : WaitMode::Interruptible);
                current().clear_interrupt();
                if (!waited || taken.load() == kTokens) continue;
                if (taken.fetch_add(1) + 1 == kTokens) queue.wake_all();
            }
        }};
        SplitMix64 random = harness::random(~u64{0});
        for (u32 i = 0; i < kTokens; ++i) {
            tokens.fetch_add(1);
            queue.wake_one();
            crew[2 + static_cast<u32>(random.below(threads - 2))].interrupt();
            yield();
        }
    }
    EXPECT_EQ(taken.load(), kTokens);
    EXPECT_EQ(tokens.load(), i32{0});
}

}  // namespace
}  // namespace tutti::sched
