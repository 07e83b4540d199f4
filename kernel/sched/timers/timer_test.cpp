// SPDX-License-Identifier: BSD-3-Clause
#include "sched/timers/timer.hpp"

#include <memory>

#include "harness/test.hpp"
#include "sched/thread.hpp"
#include "sched/timers/sleep.hpp"

namespace tutti::sched {
namespace {

struct Alarm {
    Timer timer{&rings, this};
    Deadline deadline{};
    std::atomic<u32> rung{0};
    std::atomic<u32> early{0};
    std::atomic<u32> cpu{~u32{0}};

    void set(Nanoseconds from_now) {
        smp::IrqOffGuard const off;  // it may be pending, and its old deadline would ring against the new one
        deadline = hal::now() + from_now;
        timer.start(deadline);
    }
    ISR_SAFE static void rings(void* self) {
        auto& alarm = *static_cast<Alarm*>(self);
        if (hal::now() < alarm.deadline) alarm.early.fetch_add(1);
        alarm.cpu.store(smp::this_cpu_unstable().value());
        alarm.rung.fetch_add(1);
    }
};

TEST_ALL_CPUS(timer, thousands_of_deadlines_on_every_cpu) {
    constexpr u32 kTimers = 1500;
    std::unique_ptr<Alarm[]> const alarms{new (std::nothrow) Alarm[kTimers]};
    REQUIRE(alarms != nullptr);
    SplitMix64 random = harness::random(cpu.value());
    for (u32 i = 0; i < kTimers; ++i) {
        alarms[i].set(Nanoseconds::from_us(static_cast<i64>(random.below(20'000))));
        if (random.below(8) == 0) alarms[random.below(i + 1)].set(Nanoseconds::from_us(static_cast<i64>(random.below(20'000))));
    }
    // Some are called off; each either rings or was still pending, and restarted ones may have rung before.
    std::unique_ptr<bool[]> const called_off{new (std::nothrow) bool[kTimers]{}};
    REQUIRE(called_off != nullptr);
    for (u32 i = 0; i < kTimers / 2; ++i) {
        u64 const index = random.below(kTimers);
        if (alarms[index].timer.cancel()) called_off[index] = true;
    }
    for (u32 i = 0; i < kTimers; ++i) {
        if (!called_off[i])
            while (alarms[i].timer.is_pending() || alarms[i].rung.load() == 0) yield();
        alarms[i].timer.cancel_and_wait();
        EXPECT_EQ(alarms[i].early.load(), u32{0});
        if (alarms[i].rung.load() != 0) EXPECT_EQ(alarms[i].cpu.load(), cpu.value());
    }
}

TEST(timer, past_deadlines_fire_and_never_does_not) {
    Alarm alarm;
    alarm.timer.start(hal::now() - Nanoseconds::from_s(1));
    while (alarm.rung.load() == 0) yield();
    EXPECT(!alarm.timer.cancel());
    alarm.timer.start(kNever);
    EXPECT(!alarm.timer.is_pending());
    alarm.set(Nanoseconds::from_s(1000));
    EXPECT(alarm.timer.is_pending());
    alarm.timer.start(kNever);
    EXPECT(!alarm.timer.is_pending() && !alarm.timer.cancel_and_wait());
    EXPECT_EQ(alarm.rung.load(), u32{1});
}

// CPU 0 calls off what the others' timers are about to do: each either rings or is cancelled, never both, never neither.
TEST_ALL_CPUS(timer, expiry_races_with_cancellation_elsewhere) {
    static Alarm alarm;
    for (u32 round = 0; round < 100; ++round) {
        u32 const starter = round % cpus;
        harness::meet();
        if (cpu.value() == starter) {
            alarm.rung.store(0);
            alarm.set(Nanoseconds::from_us(static_cast<i64>(harness::random(round).below(60))));
        }
        harness::meet();
        if (cpu.value() == 0) {
            for (u64 i = harness::random(~u64{round}).below(2000); i > 0; --i) arch::pause();
            bool const cancelled = alarm.timer.cancel_and_wait();
            u32 const rung = alarm.rung.load();
            EXPECT_EQ(rung, cancelled ? u32{0} : u32{1});
            EXPECT(!alarm.timer.is_pending());
        }
    }
    harness::meet();
}

// A function that takes long, on its CPU with interrupts off, while the timer is started anew elsewhere. Its owner may
// destroy the timer after cancel_and_wait(), so the function has to be over by then.
TEST_ALL_CPUS(timer, cancel_and_wait_waits_for_every_run) {
    struct Slow {
        Timer timer{&run, this};
        std::atomic<bool> entered{false};
        std::atomic<bool> finished{false};
        ISR_SAFE static void run(void* self) {
            auto& slow = *static_cast<Slow*>(self);
            slow.entered.store(true);
            Nanoseconds const until = hal::now() + Nanoseconds::from_us(300);
            while (hal::now() < until) arch::pause();
            slow.finished.store(true);
        }
    };
    static Slow slow;
    if (cpus == 1) {
        harness::note("skipped: two CPUs are needed for a timer that runs on one and is started on another");
        return;
    }
    for (u32 round = 0; round < 10; ++round) {
        bool const restart = round % 2 == 0;
        harness::meet();
        if (cpu.value() == 1) {
            slow.entered.store(false);
            slow.finished.store(false);
            slow.timer.start(hal::now());
        }
        harness::meet();
        if (cpu.value() == 0) {
            while (!slow.entered.load()) yield();
            if (restart) slow.timer.start(hal::now() + Nanoseconds::from_s(1000));
            EXPECT_EQ(slow.timer.cancel_and_wait(), restart);
            EXPECT(slow.finished.load());
        }
        harness::meet();
    }
}

// A function may start its timer again: a periodic timer, stopped for good by cancel_and_wait().
TEST_ALL_CPUS(timer, may_be_started_by_its_own_function) {
    struct Periodic {
        Timer timer{&run, this};
        std::atomic<u32> runs{0};
        ISR_SAFE static void run(void* self) {
            auto& periodic = *static_cast<Periodic*>(self);
            periodic.runs.fetch_add(1);
            periodic.timer.start(hal::now() + Nanoseconds::from_us(30));
        }
    };
    Periodic periodic;
    periodic.timer.start(hal::now());
    while (periodic.runs.load() < 20) yield();
    (void)periodic.timer.cancel_and_wait();
    u32 const runs = periodic.runs.load();
    (void)sleep_for(Nanoseconds::from_us(500));
    EXPECT_EQ(periodic.runs.load(), runs);
}

TEST_ALL_CPUS(timer, sleeps_end_after_their_deadline_on_every_cpu) {
    SplitMix64 random = harness::random(cpu.value());
    for (u32 round = 0; round < 30; ++round) {
        Deadline const deadline = hal::now() + Nanoseconds::from_us(static_cast<i64>(random.below(500)));
        EXPECT(sleep_until(deadline).has_value());
        EXPECT(hal::now() >= deadline);
    }
    EXPECT(sleep_until(hal::now() - Nanoseconds::from_s(1)).has_value());
}

}  // namespace
}  // namespace tutti::sched
