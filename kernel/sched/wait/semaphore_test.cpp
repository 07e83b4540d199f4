// SPDX-License-Identifier: BSD-3-Clause
#include "sched/wait/semaphore.hpp"

#include "sched/wait/crew_test.hpp"
#include "smp/ipi/call.hpp"

namespace tutti::sched {
namespace {

TEST(semaphore, counts) {
    Semaphore semaphore{2};
    EXPECT_EQ(semaphore.count(), u32{2});
    EXPECT(semaphore.try_down());
    semaphore.down();
    EXPECT(!semaphore.try_down());
    EXPECT(semaphore.up().has_value());
    EXPECT_EQ(semaphore.count(), u32{1});
    EXPECT(semaphore.down_until(past(), WaitMode::Uninterruptible).has_value());
    EXPECT_ERROR(semaphore.down_until(past(), WaitMode::Uninterruptible), Error::TimedOut);
    EXPECT_EQ(semaphore.count(), u32{0});
}

TEST(semaphore, overflow_is_an_error_and_changes_nothing) {
    Semaphore semaphore{Semaphore::kMaximum};
    EXPECT_ERROR(semaphore.up(), Error::Overflow);
    EXPECT_EQ(semaphore.count(), Semaphore::kMaximum);
    EXPECT(semaphore.try_down());
    EXPECT(semaphore.up().has_value());
    EXPECT_ERROR(semaphore.up(), Error::Overflow);
}

TEST_ALL_CPUS(semaphore, times_out_on_every_cpu) {
    static Semaphore semaphore{0};
    for (u32 round = 0; round < 3; ++round) {
        Deadline const deadline = soon();
        EXPECT_ERROR(semaphore.down_until(deadline, WaitMode::Uninterruptible), Error::TimedOut);
        EXPECT(hal::now() >= deadline);
    }
    harness::meet();
    EXPECT_EQ(semaphore.count(), u32{0});
    harness::meet();
    // No trace: the next unit is nobody's.
    if (cpu.value() == 0) {
        EXPECT(semaphore.up().has_value());
        EXPECT(semaphore.try_down());
    }
}

// Units go to those who wait, in the order in which they came, past everybody who comes now.
TEST(semaphore, hands_over_in_order) {
    Semaphore semaphore{0};
    constexpr u32 kWaiters = 4;
    std::atomic<u32> next{0};
    Crew crew{kWaiters, [&](u32 index) {
        yield_until([&] { return next.load() == index; });
        semaphore.down();
        EXPECT_EQ(next.fetch_add(1) - kWaiters, index);
    }};
    for (u32 i = 0; i < kWaiters; ++i) {
        next.store(i);
        yield_until_sleeping(crew[i]);
    }
    next.store(kWaiters);
    for (u32 i = 0; i < kWaiters; ++i) {
        EXPECT(semaphore.up().has_value());
        EXPECT(!semaphore.try_down());
        yield_until([&] { return next.load() == kWaiters + i + 1; });
    }
}

// As many units as there were at the start, and never more holders than units, whoever gives up in between.
TEST(semaphore, keeps_its_units_in_a_storm_of_cancellations) {
    constexpr u32 kUnits = 3;
    constexpr u32 kRounds = 200;
    u32 const threads = smp::online_count() + 5;
    Semaphore semaphore{kUnits};
    std::atomic<u32> holders{0};
    std::atomic<u32> running{threads};
    {
        Crew crew{threads, [&](u32 index) {
            SplitMix64 random = harness::random(index);
            for (u32 round = 0; round < kRounds; ++round) {
                bool const patient = random.below(3) == 0;
                Deadline const deadline =
                    patient ? kNever : hal::now() + Nanoseconds::from_us(static_cast<i64>(random.below(200)));
                if (semaphore.down_until(deadline, patient ? WaitMode::Uninterruptible : WaitMode::Interruptible)) {
                    EXPECT(holders.fetch_add(1) < kUnits);
                    if (random.below(4) == 0) yield();
                    holders.fetch_sub(1);
                    EXPECT(semaphore.up().has_value());
                } else {
                    current().clear_interrupt();
                }
            }
            running.fetch_sub(1);
        }};
        SplitMix64 random = harness::random(~u64{0});
        while (running.load() != 0) {
            crew[static_cast<u32>(random.below(threads))].interrupt();
            yield();
        }
    }
    EXPECT_EQ(semaphore.count(), kUnits);
}

// up() in a timer's function and in a call from another CPU, both in Isr context.
TEST_ALL_CPUS(semaphore, goes_up_in_interrupt_handlers) {
    static Semaphore semaphore{0};
    auto const up = [](void* argument) ISR_SAFE_LAMBDA {
        EXPECT(smp::in_isr() || !arch::interrupts_enabled());
        EXPECT(static_cast<Semaphore*>(argument)->up().has_value());
    };
    for (u32 round = 0; round < 20; ++round) {
        Timer timer{up, &semaphore};
        timer.start(hal::now() + Nanoseconds::from_us(50));
        semaphore.down();
        smp::call_on(CpuId{(cpu.value() + round) % cpus}, up, &semaphore);
        semaphore.down();
        // The units may have been those of other CPUs: ours is still to come.
        yield_until([&] { return !timer.is_pending(); });
        timer.cancel_and_wait();
    }
    harness::meet();
    EXPECT_EQ(semaphore.count(), u32{0});
}

}  // namespace
}  // namespace tutti::sched
