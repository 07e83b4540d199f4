// SPDX-License-Identifier: BSD-3-Clause
#include "sched/park.hpp"

#include "sched/wait/crew_test.hpp"

namespace tutti::sched {
namespace {

void wake(Thread& thread) {
    smp::WakePath const path;
    thread.unpark();
}

TEST(park, notice_before_the_park_is_kept) {
    bool told = false;
    wake(current());  // to ourselves: the next park returns at once
    u64 const before = current().voluntary_switches();
    EXPECT(park_until([&] { return std::exchange(told, true); }).has_value());
    EXPECT_EQ(current().voluntary_switches(), before);
}

TEST(park, condition_counts_whatever_else_happened) {
    EXPECT(park_until([] { return true; }, past(), WaitMode::Interruptible).has_value());
    EXPECT_ERROR(park_until([] { return false; }, past()), Error::TimedOut);
    current().interrupt();
    EXPECT(park_until([] { return true; }, kNever, WaitMode::Interruptible).has_value());
    EXPECT_ERROR(park_until([] { return false; }, kNever, WaitMode::Interruptible), Error::Interrupted);
    EXPECT_ERROR(park_until([] { return false; }, soon()), Error::TimedOut);  // not for waits that are not interruptible
    current().clear_interrupt();
}

// Pairs of threads take turns: a lost wake-up stops them for ever. Some turns are waited for with a deadline that strikes
// in between, and with cancellations.
TEST(park, loses_no_wake_up_between_pairs) {
    constexpr u32 kTurns = 400;
    u32 const pairs = smp::online_count() + 1;
    struct Pair {
        std::atomic<u32> turn{0};
        std::atomic<Thread*> thread[2]{};
    };
    Vector<std::unique_ptr<Pair>> all;
    for (u32 i = 0; i < pairs; ++i) {
        REQUIRE(all.try_push_back(std::unique_ptr<Pair>{new (std::nothrow) Pair}).has_value());
        REQUIRE(all[i] != nullptr);
    }
    Crew crew{2 * pairs, [&](u32 index) {
        Pair& pair = *all[index / 2];
        u32 const side = index % 2;
        SplitMix64 random = harness::random(index);
        pair.thread[side].store(&current());
        yield_until([&] { return pair.thread[1 - side].load() != nullptr; });
        for (u32 turn = side; turn < kTurns; turn += 2) {
            auto const ours = [&] { return pair.turn.load(std::memory_order_acquire) == turn; };
            while (true) {
                u64 const kind = random.below(4);
                Deadline const deadline =
                    kind == 0 ? hal::now() + Nanoseconds::from_us(static_cast<i64>(random.below(100))) : kNever;
                if (park_until(ours, deadline, kind == 1 ? WaitMode::Interruptible : WaitMode::Uninterruptible)) break;
                current().clear_interrupt();
            }
            pair.turn.store(turn + 1, std::memory_order_release);
            if (random.below(8) == 0) pair.thread[1 - side].load()->interrupt();
            wake(*pair.thread[1 - side].load());
        }
        // The partner's last wake-up comes to a thread that is still there.
        (void)park_until([&] { return pair.turn.load() == kTurns; });
    }};
}

// Woken in the middle of being switched out, on any CPU, by an interrupt handler.
TEST_ALL_CPUS(park, is_woken_by_timers_on_every_cpu) {
    struct Ring {
        Thread& thread = current();
        std::atomic<u32> count{0};
        ISR_SAFE static void ring(void* self) {
            auto& ring = *static_cast<Ring*>(self);
            ring.count.fetch_add(1);
            wake(ring.thread);
        }
    };
    Ring ring;
    for (u32 round = 1; round <= 100; ++round) {
        Timer timer{&Ring::ring, &ring};
        timer.start(hal::now() + Nanoseconds::from_us(static_cast<i64>(harness::random(round).below(20))));
        EXPECT(park_until([&] { return ring.count.load() == round; }).has_value());
        timer.cancel_and_wait();
    }
}

TEST(thread, join_is_timed_and_cancelled) {
    std::atomic<bool> go_on{false};
    Crew crew{1, [&](u32) { yield_until([&] { return go_on.load(); }); }};
    Deadline const deadline = soon();
    EXPECT_ERROR(crew[0].join(deadline), Error::TimedOut);
    EXPECT(hal::now() >= deadline);
    current().interrupt();
    EXPECT_ERROR(crew[0].join(kNever, WaitMode::Interruptible), Error::Interrupted);
    current().clear_interrupt();
    go_on.store(true);
    EXPECT(crew[0].join().has_value());
    EXPECT(crew[0].join(past()).has_value());
}

}  // namespace
}  // namespace tutti::sched
