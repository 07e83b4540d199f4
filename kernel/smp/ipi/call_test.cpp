// SPDX-License-Identifier: BSD-3-Clause
#include "smp/ipi/call.hpp"

#include "harness/test.hpp"
#include "sched/thread.hpp"
#include "smp/context/context.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::smp {
namespace {

// What the called function saw, on each CPU that it ran on.
struct Visits {
    DynamicPerCpu<std::atomic<u32>> count;
    std::atomic<u32> wrong_rung{0};

    [[nodiscard]] bool create() {
        Result<DynamicPerCpu<std::atomic<u32>>> made = DynamicPerCpu<std::atomic<u32>>::create();
        if (made) count = std::move(*made);
        return made.has_value();
    }
    ISR_SAFE static void visit(void* argument) {
        Visits& self = *static_cast<Visits*>(argument);
        // relaxed: the call orders it.
        self.count.on(this_cpu_unstable()).fetch_add(1, std::memory_order_relaxed);
        if (arch::interrupts_enabled()) self.wrong_rung.fetch_add(1, std::memory_order_relaxed);
    }
    [[nodiscard]] u32 on(u32 cpu) const { return count.on(CpuId{cpu}).load(std::memory_order_relaxed); }
    [[nodiscard]] u32 total() const {
        u32 sum = 0;
        for (u32 cpu = 0; cpu < cpu_count(); ++cpu) sum += on(cpu);
        return sum;
    }
};

TEST_EACH_CPU(call, runs_on_the_named_cpu_only) {
    for_each_online_cpu([](CpuId target) {
        Visits visits;
        REQUIRE(visits.create());
        call_on(target, Visits::visit, &visits);
        EXPECT_EQ(visits.on(target.value()), 1u);
        EXPECT_EQ(visits.total(), 1u);
        EXPECT_EQ(visits.wrong_rung.load(std::memory_order_relaxed), 0u);
    });
}

TEST_EACH_CPU(call, on_all_and_on_others) {
    Visits all;
    Visits others;
    REQUIRE(all.create() && others.create());
    call_on_all(Visits::visit, &all);
    call_on_others(Visits::visit, &others);
    for_each_online_cpu([&](CpuId target) {
        EXPECT_EQ(all.on(target.value()), 1u);
        EXPECT_EQ(others.on(target.value()), target == cpu ? 0u : 1u);
    });
    EXPECT_EQ(all.wrong_rung.load(std::memory_order_relaxed), 0u);
}

TEST_EACH_CPU(call, on_a_set) {
    Result<CpuSet> set = CpuSet::create(cpu_count());
    REQUIRE(set.has_value());
    Visits visits;
    REQUIRE(visits.create());
    call_on_set(*set, Visits::visit, &visits);
    EXPECT_EQ(visits.total(), 0u);
    for (u32 member = 0; member < cpus; member += 2) set->add(CpuId{member});
    call_on_set(*set, Visits::visit, &visits);
    for (u32 target = 0; target < cpus; ++target) EXPECT_EQ(visits.on(target), target % 2 == 0 ? 1u : 0u);
}

// The slot of a call that nobody waited for is not used again before it has run everywhere.
TEST_EACH_CPU(call, without_waiting_none_is_lost) {
    Visits visits;
    REQUIRE(visits.create());
    constexpr u32 kCalls = 50;
    for (u32 i = 0; i < kCalls; ++i) call_on_others(Visits::visit, &visits, Wait::No);
    call_on_others(Visits::visit, &visits, Wait::Yes);
    EXPECT_EQ(visits.total(), (kCalls + 1) * (cpus - 1));
}

// CPUs that call each other at once all finish, and a call publishes what was written before it, both ways.
TEST_ALL_CPUS(call, storm_of_calls_to_each_other) {
    struct Question {
        u32 asked = 0;
        u32 answers = 0;
        std::atomic<u32> mismatches{0};
    };
    Question question;
    SplitMix64 random = harness::random(cpu.value());
    u32 const rounds = harness::rounds_each(300, cpus);
    for (u32 round = 1; round <= rounds; ++round) {
        question.asked = round;
        CpuId const target{static_cast<u32>(random.below(cpus))};
        call_on(
            target,
            [](void* argument) ISR_SAFE_LAMBDA {
                auto& asked = *static_cast<Question*>(argument);
                asked.answers = asked.asked;
            },
            &question);
        if (!EXPECT_EQ(question.answers, round)) return;
    }
}

// A request that is still on its way need not be sent again, and its target sees what was written before send() said so.
TEST_ALL_CPUS(call, requests_lose_nothing) {
    struct Mailbox {
        std::atomic<u32> written{0};
        std::atomic<u32> read{0};
        CallRequest request{[](void* argument) ISR_SAFE_LAMBDA {
                                auto& self = *static_cast<Mailbox*>(argument);
                                // relaxed: that send() orders them is what is tested.
                                self.read.store(self.written.load(std::memory_order_relaxed), std::memory_order_release);
                            },
                            this};
    };
    Mailbox mailbox;
    CpuId const target{(cpu.value() + 1) % cpus};
    harness::Schedule schedule{cpu.value()};
    u32 const rounds = harness::rounds_each(500, cpus);
    for (u32 i = 1; i <= rounds; ++i) {
        mailbox.written.store(i, std::memory_order_relaxed);
        (void)mailbox.request.send(target);
        if (i % 16 == 0) schedule.step();
    }
    // acquire: pairs with the release in the handler.
    while (mailbox.read.load(std::memory_order_acquire) != rounds) sched::yield();
    while (mailbox.request.busy()) sched::yield();
    // The handler has let go of the mailbox when a call to the same CPU, which comes after it, has run.
    call_on(target, [](void*) {}, nullptr);
}

// A handler may not wait, but it may send: once round all CPUs.
TEST(call, handlers_send_requests_on) {
    struct Round {
        std::atomic<u32> hops{0};
        u32 wanted = 0;
        CallRequest* request = nullptr;
    };
    Round round{.wanted = 3 * online_count()};
    CallRequest request{[](void* argument) ISR_SAFE_LAMBDA {
                            auto& self = *static_cast<Round*>(argument);
                            // acq_rel: the next hop, on another CPU, comes after this one.
                            u32 const hops = self.hops.fetch_add(1, std::memory_order_acq_rel) + 1;
                            if (hops == self.wanted) return;
                            CpuId const next{(this_cpu_unstable().value() + 1) % online_count()};
                            EXPECT(self.request->send(next));
                        },
                        &round};
    round.request = &request;
    EXPECT(request.send(CpuId{0}));
    while (round.hops.load(std::memory_order_acquire) < round.wanted) sched::yield();
    call_on_all([](void*) {}, nullptr);  // every handler has returned
    EXPECT_EQ(round.hops.load(std::memory_order_relaxed), round.wanted);
}

TEST_DEATH(call, waiting_with_interrupts_off, "waiting for other CPUs with interrupts off") {
    IrqOffGuard const off;
    call_on_all([](void*) {}, nullptr);
}

NOINLINE void wait_in_a_handler() {
    ISR_NOTE("ends-machine", "a death test: the wait is refused");
    call_on_all([](void*) {}, nullptr);
    panic("the wait was not refused");
}
TEST_DEATH(call, waiting_in_a_handler, "waiting for other CPUs with interrupts off") {
    call_on(this_cpu_unstable(), [](void*) ISR_SAFE_LAMBDA { wait_in_a_handler(); }, nullptr);
}

void wait_with_a_lock_of_deaf_cpus() NO_THREAD_SAFETY_ANALYSIS {
    static constinit SpinLock deaf{LockRank::Driver, "deaf"};
    { SpinIrqGuard const guard{deaf}; }
    preempt_disable();
    arch::disable_interrupts();
    deaf.lock(AssumeIrqOff{});
    arch::enable_interrupts();
    call_on_all([](void*) {}, nullptr);
}

TEST_DEATH(call, waiting_with_a_lock_of_deaf_cpus, "waiting for other CPUs while holding 'deaf'") {
    wait_with_a_lock_of_deaf_cpus();
}

}  // namespace
}  // namespace tutti::smp
