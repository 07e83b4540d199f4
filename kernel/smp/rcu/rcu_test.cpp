// SPDX-License-Identifier: BSD-3-Clause
#include "smp/rcu/rcu.hpp"

#include "hal/clock.hpp"
#include "sched/scheduler.hpp"
#include "sched/timers/sleep.hpp"
#include "smp/ipi/call.hpp"
#include "smp/rcu/support_test.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::smp::rcu {
namespace {

using test::Marked;
using test::Threads;

TEST(rcu, a_guard_is_a_section_without_preemption) {
    EXPECT(may_block());
    {
        ReadGuard const outer;
        EXPECT_EQ(preempt_depth(), 1u);
        EXPECT(is_watching(outer));
        ReadGuard const inner;
        EXPECT_EQ(preempt_depth(), 2u);
    }
    EXPECT(may_block());
}

TEST(rcu, synchronize_returns_with_nobody_reading) {
    u64 const before = statistics().grace_periods;
    for (int i = 0; i < 100; ++i) synchronize();
    EXPECT(statistics().grace_periods >= before + 100);
}

TEST(rcu, tickets_end_in_order) {
    Ticket const first = start_grace_period();
    Ticket const second = start_grace_period();
    EXPECT(second > first);
    wait_for(second);
    EXPECT(is_over(second));
    EXPECT(is_over(first));
    EXPECT(!is_over(second + (Ticket{1} << 32)));  // others may have drawn a few
}

// The section of one CPU holds up the grace period of another, and only until it ends.
TEST_ALL_CPUS(rcu, synchronize_waits_for_a_reader, .min_cpus = 2) {
    static std::atomic<u32> stage;
    static std::atomic<bool> released;
    if (cpu.value() == 0) {
        stage.store(0);
        released.store(false);
    }
    harness::meet();
    if (cpu.value() == 1) {
        ReadGuard const reading;
        stage.store(1);
        while (stage.load() != 2) arch::pause();
        Nanoseconds const until = hal::now() + Nanoseconds::from_ms(20);
        while (hal::now() < until) arch::pause();
        released.store(true);
    } else if (cpu.value() == 0) {
        while (stage.load() != 1) sched::yield();
        Ticket const ticket = start_grace_period();
        stage.store(2);
        EXPECT(!is_over(ticket) || released.load());
        wait_for(ticket);
        EXPECT(released.load());
    }
    harness::meet();
}

// Neither a thread that never leaves the CPU nor a program in user mode reports by itself: the interrupt does.
TEST_ALL_CPUS(rcu, a_spinning_cpu_is_interrupted, .min_cpus = 2) {
    static std::atomic<bool> stop;
    static std::atomic<u32> spinning;
    if (cpu.value() == 0) {
        stop.store(false);
        spinning.store(0);
    }
    harness::meet();
    if (cpu.value() != 0) {
        spinning.fetch_add(1);
        while (!stop.load(std::memory_order_relaxed)) arch::pause();
    } else {
        while (spinning.load() != cpus - 1) sched::yield();
        u64 const before = statistics().interrupts;
        for (int i = 0; i < 5; ++i) synchronize();
        // Timer interrupts may have come in time once or twice, not always.
        EXPECT(statistics().interrupts > before);
        stop.store(true);
    }
    harness::meet();
}

// A CPU that always has preemption off when the interrupt comes switches threads when it is on again.
TEST_ALL_CPUS(rcu, back_to_back_sections_do_not_stall, .min_cpus = 2) {
    static std::atomic<bool> stop;
    static std::atomic<u32> reading;
    if (cpu.value() == 0) {
        stop.store(false);
        reading.store(0);
    }
    harness::meet();
    if (cpu.value() != 0) {
        reading.fetch_add(1);
        while (!stop.load(std::memory_order_relaxed)) {
            ReadGuard const guard;
            for (int i = 0; i < 300; ++i) arch::pause();
        }
    } else {
        while (reading.load() != cpus - 1) sched::yield();
        for (int i = 0; i < 5; ++i) synchronize();
        stop.store(true);
    }
    harness::meet();
}

// Halted CPUs take no part: they are not interrupted, and do not count a switch.
TEST(rcu, idle_cpus_are_left_alone, .min_cpus = 2) {
    // Until all others have been idle for a while; a straggler of an earlier case is given time.
    bool left_alone = false;
    for (int round = 0; round < 50 && !left_alone; ++round) {
        (void)sched::sleep_for(Nanoseconds::from_ms(20));
        PinGuard const pinned;
        u64 switches = 0;
        for_each_online_cpu([&](CpuId cpu) {
            if (cpu != this_cpu(pinned)) switches += sched::cpu_counters(cpu).switches;
        });
        u64 const interrupts = statistics().interrupts;
        for (int i = 0; i < 3; ++i) synchronize();
        for_each_online_cpu([&](CpuId cpu) {
            if (cpu != this_cpu(pinned)) switches -= sched::cpu_counters(cpu).switches;
        });
        left_alone = switches == 0 && statistics().interrupts == interrupts;
    }
    EXPECT(left_alone);
}

// An interrupt that hits a halted CPU may read: the CPU takes part for that time.
TEST(rcu, a_handler_on_a_halted_cpu_is_a_reader) {
    for (int round = 0; round < 20; ++round) {
        (void)sched::sleep_for(Nanoseconds::from_ms(1));
        static std::atomic<u32> watching;
        watching.store(0);
        call_on_all(
            [](void*) ISR_SAFE_LAMBDA {
                ReadGuard const reading;
                if (is_watching(reading)) watching.fetch_add(1);
            },
            nullptr);
        EXPECT_EQ(watching.load(), online_count());
    }
}

// Readers look for reclaimed objects while writers replace and reclaim after grace periods; threads that compute and
// sleep preempt them and let CPUs go idle in between.
struct Torture {
    static constexpr u32 kSlots = 4;
    std::atomic<Marked*> slots[kSlots];
    Marked pool[kSlots * 8];
    std::atomic<u32> bad{0};
    std::atomic<u32> writers{0};
    std::atomic<u64> reads{0};
};

void torture_reader(void* argument, u32 index) {
    Torture& shared = *static_cast<Torture*>(argument);
    SplitMix64 random = harness::random(index);
    u64 reads = 0;
    while (shared.writers.load(std::memory_order_relaxed) != 0) {
        {
            ReadGuard const reading;
            // acquire: pairs with the writers' publication.
            Marked const* const object = shared.slots[random.below(Torture::kSlots)].load(std::memory_order_acquire);
            for (u64 i = random.below(60); i != 0; --i) arch::pause();
            if (!object->is_alive()) shared.bad.fetch_add(1);
            ++reads;
        }
        u64 const dice = random.below(64);
        if (dice == 0) (void)sched::sleep_for(Nanoseconds::from_us(300));
        if (dice == 1) sched::yield();
    }
    shared.reads.fetch_add(reads);
}

void torture_writer(void* argument, u32 index) {
    Torture& shared = *static_cast<Torture*>(argument);
    SplitMix64 random = harness::random(1000 + index);
    // Each writer owns a slot and a share of the pool.
    std::atomic<Marked*>& slot = shared.slots[index];
    Marked* const mine = shared.pool + index * 8;
    for (u32 round = 0; round < 150; ++round) {
        Marked& fresh = mine[1 + round % 7];
        fresh.revive();
        // release: the object is alive for whoever finds it.
        Marked* const old = slot.exchange(&fresh, std::memory_order_acq_rel);
        if (random.below(4) == 0) {
            Ticket const ticket = start_grace_period();
            if (random.below(2) == 0) expedite();
            wait_for(ticket);
        } else {
            synchronize();
        }
        old->kill();
    }
    shared.writers.fetch_sub(1);
}

TEST(rcu, torture) {
    static Torture shared;
    shared.bad.store(0);
    shared.reads.store(0);
    for (u32 i = 0; i < Torture::kSlots; ++i) {
        Marked& first = shared.pool[i * 8];
        first.revive();
        shared.slots[i].store(&first);
    }
    shared.writers.store(Torture::kSlots);
    Threads readers{online_count() * 2, true, &torture_reader, &shared};
    Threads writers{Torture::kSlots, false, &torture_writer, &shared};
    writers.join();
    readers.join();
    EXPECT_EQ(shared.bad.load(), 0u);
    EXPECT(shared.reads.load() != 0);
    harness::note("{} reads", shared.reads.load());
}

// A CPU without a quiescent state for too long is reported, once.
TEST_ALL_CPUS(rcu, a_stall_is_reported_once, .min_cpus = 2) {
    static std::atomic<u32> stage;
    if (cpu.value() == 0) stage.store(0);
    harness::meet();
    if (cpu.value() == 1) {
        ReadGuard const reading;
        stage.store(1);
        while (stage.load() != 2) arch::pause();
    } else if (cpu.value() == 0) {
        // Longer than a host keeps a CPU of ours from running.
        Nanoseconds const threshold = set_stall_threshold(Nanoseconds::from_ms(300));
        u64 const before = statistics().stalls;
        while (stage.load() != 1) sched::yield();
        Threads waiter{2, false, [](void*, u32) { synchronize(); }, nullptr};
        Deadline const deadline = hal::now() + Nanoseconds::from_s(30);
        while (statistics().stalls == before && hal::now() < deadline) (void)sched::sleep_for(Nanoseconds::from_ms(1));
        (void)sched::sleep_for(Nanoseconds::from_ms(30));
        EXPECT_EQ(statistics().stalls, before + 1);
        stage.store(2);
        waiter.join();
        set_stall_threshold(threshold);
    }
    harness::meet();
}

TEST_DEATH(rcu, synchronize_in_a_read_section, "blocking call in a context that must not block") {
    ReadGuard const reading;
    synchronize();
}
TEST_DEATH(rcu, synchronize_under_a_spin_lock, "blocking call in a context that must not block") {
    SpinLock lock{LockRank::Driver, "test"};
    SpinGuard const guard{lock};
    synchronize();
}
TEST_DEATH(rcu, barrier_in_a_read_section, "blocking call in a context that must not block") {
    ReadGuard const reading;
    barrier();
}
TEST_DEATH(rcu, sleeping_in_a_read_section, "blocking call in a context that must not block") {
    ReadGuard const reading;
    (void)sched::sleep_for(Nanoseconds::from_us(1));
}
TEST_DEATH(rcu, yield_in_a_read_section, "blocking call in a context that must not block") {
    ReadGuard const reading;
    sched::yield();
}

}  // namespace
}  // namespace tutti::smp::rcu
