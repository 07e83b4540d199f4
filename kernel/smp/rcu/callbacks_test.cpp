// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <memory>

#include "hal/clock.hpp"
#include "sched/timers/sleep.hpp"
#include "smp/ipi/call.hpp"
#include "smp/rcu/support_test.hpp"

namespace tutti::smp::rcu {
namespace {

using test::Marked;
using test::Threads;

struct Counted : Callback {
    std::atomic<u32>* counter = nullptr;
    u32 cpu = 0;
    u32 number = 0;
};

TEST(rcu_callbacks, run_after_the_sections_that_saw_the_object) {
    static std::atomic<u32> runs;
    static Callback node;
    runs.store(0);
    {
        ReadGuard const reading;
        defer(node, [](Callback&) { runs.fetch_add(1); });
        Nanoseconds const until = hal::now() + Nanoseconds::from_ms(5);
        while (hal::now() < until) arch::pause();
        EXPECT_EQ(runs.load(), 0u);
    }
    barrier();
    EXPECT_EQ(runs.load(), 1u);
}

TEST(rcu_callbacks, run_without_a_barrier) {
    static std::atomic<u32> runs;
    static Callback node;
    runs.store(0);
    defer(node, [](Callback&) { runs.fetch_add(1); });
    Deadline const deadline = hal::now() + Nanoseconds::from_s(30);
    while (runs.load() == 0 && hal::now() < deadline) (void)sched::sleep_for(Nanoseconds::from_ms(1));
    EXPECT_EQ(runs.load(), 1u);
}

// On the CPU of the call, in the order of the calls, without preemption, with interrupts on.
TEST_ALL_CPUS(rcu_callbacks, stay_in_order_on_their_cpu) {
    constexpr u32 kCount = 300;
    static std::atomic<u32> wrong;
    static PerCpu<u32>* next_of_cpu;
    PERCPU_SECTION static constinit PerCpu<u32> next;
    std::unique_ptr<Counted[]> const nodes{new (std::nothrow) Counted[kCount]};
    CHECK(nodes != nullptr);
    if (cpu.value() == 0) {
        wrong.store(0);
        next_of_cpu = &next;
    }
    next.on(cpu) = 0;
    harness::meet();
    for (u32 i = 0; i < kCount; ++i) {
        nodes[i].cpu = cpu.value();
        nodes[i].number = i;
        defer(nodes[i], [](Callback& callback) {
            auto const& node = static_cast<Counted&>(callback);
            AssumeNoPreempt const here;
            bool const right = this_cpu(here).value() == node.cpu && next_of_cpu->local(here) == node.number &&
                               arch::interrupts_enabled() && preempt_depth() == 1;
            if (!right) wrong.fetch_add(1);
            ++next_of_cpu->local(here);
        });
    }
    barrier();
    EXPECT_EQ(next.on(cpu), kCount);
    harness::meet();
    if (cpu.value() == 0) EXPECT_EQ(wrong.load(), 0u);
}

TEST(rcu_callbacks, may_defer_again) {
    static std::atomic<u32> runs;
    static Callback node;
    runs.store(0);
    defer(node, [](Callback& self) {
        auto const again = [](Callback&) { runs.fetch_add(1); };
        runs.fetch_add(1);
        defer(self, again);
    });
    barrier();
    barrier();
    EXPECT_EQ(runs.load(), 2u);
}

TEST(rcu_callbacks, come_from_interrupt_handlers) {
    static std::atomic<u32> runs;
    PERCPU_SECTION static constinit PerCpu<Callback> nodes;
    static PerCpu<Callback>* const node_of = &nodes;
    runs.store(0);
    for (int round = 0; round < 10; ++round) {
        call_on_all(
            [](void*) ISR_SAFE_LAMBDA {
                defer(node_of->local(AssumeIrqOff{}), [](Callback&) { runs.fetch_add(1); });
            },
            nullptr);
        barrier();
    }
    EXPECT_EQ(runs.load(), 10 * online_count());
}

// Objects replaced by all CPUs and freed by callbacks: nobody finds a dead one.
TEST_ALL_CPUS(rcu_callbacks, no_reader_finds_a_reclaimed_object) {
    static std::atomic<Marked*> slot;
    static std::atomic<u32> bad;
    static std::atomic<u64> reclaimed;
    static std::atomic<u64> lost;
    constexpr u32 kRounds = 400;
    if (cpu.value() == 0) {
        bad.store(0);
        lost.store(0);
        reclaimed.store(0);
        slot.store(nullptr);
    }
    harness::meet();
    SplitMix64 random = harness::random(cpu.value());
    for (u32 round = 0; round < kRounds; ++round) {
        auto* const fresh = new (std::nothrow) Marked;
        if (fresh == nullptr) {
            lost.fetch_add(1);
            continue;
        }
        fresh->revive();
        Marked* const old = slot.exchange(fresh, std::memory_order_acq_rel);
        if (old != nullptr)
            defer(old->callback, [](Callback& callback) {
                auto& object = *reinterpret_cast<Marked*>(reinterpret_cast<char*>(&callback) - offsetof(Marked, callback));
                object.kill();
                reclaimed.fetch_add(1);
                delete &object;
            });
        else
            lost.fetch_add(1);
        for (u64 i = random.below(8); i != 0; --i) {
            ReadGuard const reading;
            Marked const* const seen = slot.load(std::memory_order_acquire);
            for (u64 j = random.below(40); j != 0; --j) arch::pause();
            if (!seen->is_alive()) bad.fetch_add(1);
        }
    }
    harness::meet();
    if (cpu.value() != 0) return;
    barrier();
    EXPECT_EQ(bad.load(), 0u);
    EXPECT_EQ(reclaimed.load() + lost.load(), u64{kRounds} * cpus);
    delete slot.exchange(nullptr);
}

// A thread that defers as fast as it can is held back: what waits on a CPU is bounded, and grace periods are hurried.
TEST_ALL_CPUS(rcu_callbacks, a_flood_is_held_back) {
    static std::atomic<u64> most;
    static std::atomic<u64> freed;
    constexpr u64 kCount = 3 * kManyPending;
    if (cpu.value() == 0) {
        most.store(0);
        freed.store(0);
    }
    harness::meet();
    u64 allocated = 0;
    u64 seen = 0;
    for (u64 i = 0; i < kCount; ++i) {
        auto* const node = new (std::nothrow) Callback;
        if (node == nullptr) break;
        ++allocated;
        defer(*node, [](Callback& callback) {
            freed.fetch_add(1);
            delete &callback;
        });
        if (i % 256 == 0) seen = std::max(seen, statistics().pending);
    }
    for (u64 old = most.load(); old < seen && !most.compare_exchange_weak(old, seen);) {
    }
    EXPECT_EQ(allocated, kCount);
    harness::meet();
    if (cpu.value() != 0) return;
    barrier();
    EXPECT_EQ(freed.load(), kCount * cpus);
    // This thread's CPU holds at most the limit; the count is taken over all of them.
    EXPECT(most.load() <= (kManyPending + 1) * cpus);
    harness::note("at most {} waited on {} CPUs", most.load(), cpus);
}

TEST_DEATH(rcu_callbacks, deferred_twice, "a callback is deferred twice") {
    static Callback node;
    // Off, so that it cannot run in between.
    PreemptGuard const guard;
    defer(node, [](Callback&) {});
    defer(node, [](Callback&) {});
}

}  // namespace
}  // namespace tutti::smp::rcu
