// SPDX-License-Identifier: BSD-3-Clause
#include "sched/thread.hpp"

#include "hal/clock.hpp"
#include "harness/test.hpp"
#include "mem/frame/frame_allocator.hpp"
#include "sched/park.hpp"
#include "sched/scheduler.hpp"
#include "smp/context/context.hpp"
#include "smp/debug/race_point.hpp"
#include "smp/ipi/call.hpp"

namespace tutti::sched {
namespace {

Result<smp::CpuSet> only(CpuId cpu) {
    smp::CpuSet set = TRY(smp::CpuSet::create(smp::cpu_count()));
    set.add(cpu);
    return set;
}

// A thread that runs a function object of the test, which outlives it.
template <class Function>
Result<Ref<Thread>> make_thread(Function& function, smp::CpuSet const* cpus = nullptr, Policy policy = {}) {
    return Thread::create({.name = "made", .policy = policy, .affinity = cpus},
                          [](void* argument) { (*static_cast<Function*>(argument))(); }, &function);
}

CpuId here() { return smp::this_cpu_unstable(); }

TEST(thread, runs_once_and_ends) {
    u32 runs = 0;  // ordered by start() and join()
    auto body = [&] { ++runs; };
    auto thread = make_thread(body);
    REQUIRE(thread.has_value());
    EXPECT((*thread)->activity() == Thread::Activity::New);
    EXPECT(!(*thread)->has_ended());
    (*thread)->start();
    EXPECT((*thread)->join().has_value());
    EXPECT_EQ(runs, 1u);
    EXPECT((*thread)->has_ended());
    EXPECT((*thread)->activity() == Thread::Activity::Ended);
    EXPECT((*thread)->join().has_value());
    EXPECT_EQ((*thread)->name(), "made");
}

// Others may know a thread that is not started yet: a process that ends interrupts all that it has.
TEST(thread, an_interrupt_does_not_start_it) {
    std::atomic<bool> may_run{false};
    bool early = true;
    bool interrupted = false;
    auto body = [&] {
        early = !may_run.load(std::memory_order_acquire);
        interrupted = current().is_interrupted();
    };
    auto thread = make_thread(body);
    REQUIRE(thread.has_value());
    (*thread)->set_return_work();
    (*thread)->interrupt();
    (void)park_until([] { return false; }, hal::now() + Nanoseconds::from_ms(2));
    EXPECT(!(*thread)->has_ended());
    may_run.store(true, std::memory_order_release);
    (*thread)->start();
    EXPECT((*thread)->join().has_value());
    EXPECT(!early);
    EXPECT(interrupted);
}

TEST(thread, join_gives_up_at_its_deadline) {
    std::atomic<bool> may_end{false};
    auto body = [&] {
        while (!may_end.load(std::memory_order_acquire)) yield();
    };
    auto thread = make_thread(body);
    REQUIRE(thread.has_value());
    (*thread)->start();
    EXPECT_ERROR((*thread)->join(hal::now()), Error::TimedOut);
    EXPECT_ERROR((*thread)->join(hal::now() + Nanoseconds::from_ms(3)), Error::TimedOut);
    may_end.store(true, std::memory_order_release);
    EXPECT((*thread)->join().has_value());
}

TEST(thread, bad_options_are_errors) {
    auto body = [] {};
    EXPECT_ERROR(make_thread(body, nullptr, {.kind = PolicyKind::Fifo, .priority = 0}), Error::InvalidArgument);
    EXPECT_ERROR(make_thread(body, nullptr, {.kind = PolicyKind::Fifo, .priority = 100}), Error::InvalidArgument);
    EXPECT_ERROR(make_thread(body, nullptr, {.nice = 20}), Error::InvalidArgument);
    EXPECT_ERROR(make_thread(body, nullptr, {.priority = 1}), Error::InvalidArgument);
    Result<smp::CpuSet> const none = smp::CpuSet::create(smp::cpu_count());
    REQUIRE(none.has_value());
    EXPECT_ERROR(make_thread(body, &*none), Error::InvalidArgument);
    EXPECT_ERROR(current().set_affinity(*none), Error::InvalidArgument);
    EXPECT_ERROR(current().set_policy({.kind = PolicyKind::RoundRobin}), Error::InvalidArgument);
}

TEST(thread, memory_that_runs_out_is_an_error) {
    if (!kDebugBuild) SKIP("faults are injected in debug builds only");
    auto body = [] {};
    u32 made = 0;
    u32 refused = 0;
    for (u32 period = 1; period <= 6; ++period) {
        mem::set_allocation_fault_period(period);
        auto thread = make_thread(body);
        mem::set_allocation_fault_period(0);
        if (!thread) {
            EXPECT_EQ(thread.error(), Error::NoMemory);
            ++refused;
            continue;
        }
        ++made;
        (*thread)->start();
        EXPECT((*thread)->join().has_value());
    }
    harness::note("{} made, {} refused", made, refused);
}

TEST_EACH_CPU(thread, stays_where_it_must) {
    Result<smp::CpuSet> const set = only(cpu);
    REQUIRE(set.has_value());
    std::atomic<u32> elsewhere{0};
    auto body = [&] {
        for (int i = 0; i < 50; ++i) {
            if (here() != cpu) elsewhere.fetch_add(1, std::memory_order_relaxed);
            yield();
        }
    };
    for (int i = 0; i < 3; ++i) {
        auto thread = make_thread(body, &*set);
        REQUIRE(thread.has_value());
        (*thread)->start();
        EXPECT((*thread)->join().has_value());
        EXPECT((*thread)->cpu() == cpu);
    }
    EXPECT_EQ(elsewhere.load(std::memory_order_relaxed), 0u);
}

TEST(thread, goes_where_it_is_sent) {
    SplitMix64 random = harness::random();
    for (int i = 0; i < 50; ++i) {
        CpuId const target{static_cast<u32>(random.below(smp::cpu_count()))};
        Result<smp::CpuSet> const set = only(target);
        REQUIRE(set.has_value());
        REQUIRE(current().set_affinity(*set).has_value());
        REQUIRE_EQ(here().value(), target.value());
    }
}

// While it runs, waits behind others, or sleeps: it turns up on the new CPU and nowhere else afterwards.
TEST(thread, others_send_it_elsewhere) {
    std::atomic<bool> end{false};
    std::atomic<u32> seen_on{~u32{0}};
    auto body = [&] {
        SplitMix64 random{1};
        while (!end.load(std::memory_order_relaxed)) {
            seen_on.store(here().value(), std::memory_order_relaxed);
            switch (random.below(3)) {
                case 0: yield(); break;
                case 1: (void)park_until([] { return false; }, hal::now() + Nanoseconds::from_us(30)); break;
                default: arch::pause();
            }
        }
    };
    auto thread = make_thread(body);
    REQUIRE(thread.has_value());
    (*thread)->start();
    SplitMix64 random = harness::random();
    for (int i = 0; i < 40; ++i) {
        u32 const target = static_cast<u32>(random.below(smp::cpu_count()));
        Result<smp::CpuSet> const set = only(CpuId{target});
        REQUIRE(set.has_value());
        EXPECT((*thread)->set_affinity(*set).has_value());
        while (seen_on.load(std::memory_order_relaxed) != target) yield();
    }
    end.store(true, std::memory_order_relaxed);
    EXPECT((*thread)->join().has_value());
}

// A set of several words is changed word by word.
TEST(thread, affinity_storm_is_copied_whole, .min_cpus = 65) {
    smp::RaceAmplifier const amplifier{500};
    std::atomic<bool> end{false};
    auto body = [] {};
    auto first_cpu = only(CpuId{0});
    auto last_cpu = only(CpuId{smp::cpu_count() - 1});
    auto copy = smp::CpuSet::create(smp::cpu_count());
    REQUIRE(first_cpu.has_value() && last_cpu.has_value() && copy.has_value());
    auto moved = make_thread(body, &*first_cpu);
    REQUIRE(moved.has_value());
    std::atomic<bool> moving{false};
    auto move = [&] {
        while (!end.load(std::memory_order_relaxed)) {
            EXPECT((*moved)->set_affinity(*last_cpu).has_value());
            EXPECT((*moved)->set_affinity(*first_cpu).has_value());
            moving.store(true, std::memory_order_relaxed);
        }
    };
    auto mover = make_thread(move);
    REQUIRE(mover.has_value());
    (*mover)->start();
    while (!moving.load(std::memory_order_relaxed)) yield();
    u32 torn = 0;
    for (u32 i = 0; i < 1000; ++i) {
        (*moved)->copy_affinity(*copy);
        if (copy->count() != 1) ++torn;
    }
    end.store(true, std::memory_order_relaxed);
    EXPECT((*mover)->join().has_value());
    EXPECT_EQ(torn, 0u);
}

// Neither blocks nor yields: only preemption lets the second one run.
TEST_EACH_CPU(thread, a_spinning_thread_is_preempted) {
    Result<smp::CpuSet> const set = only(cpu);
    REQUIRE(set.has_value());
    std::atomic<u32> turn{0};
    constexpr u32 kTurns = 4;
    auto even = [&] {
        for (u32 i = 0; i < kTurns; i += 2) {
            while (turn.load(std::memory_order_acquire) != i) arch::pause();
            turn.store(i + 1, std::memory_order_release);
        }
    };
    auto odd = [&] {
        for (u32 i = 1; i < kTurns; i += 2) {
            while (turn.load(std::memory_order_acquire) != i) arch::pause();
            turn.store(i + 1, std::memory_order_release);
        }
    };
    auto first = make_thread(odd, &*set);
    auto second = make_thread(even, &*set);
    REQUIRE(first.has_value() && second.has_value());
    (*first)->start();
    (*second)->start();
    EXPECT((*first)->join().has_value());
    EXPECT((*second)->join().has_value());
    EXPECT_EQ(turn.load(std::memory_order_relaxed), kTurns);
    EXPECT((*first)->involuntary_switches() + (*second)->involuntary_switches() > 0);
}

// What a preempted computation holds in registers is there afterwards.
TEST_ALL_CPUS(thread, preemption_keeps_registers) {
    auto const compute = [] {
        u64 a = 1, b = 2, c = 3, d = 5, e = 7, f = 11, g = 13, h = 17;
        for (u32 i = 0; i < 60'000; ++i) {
            a += b * i, b ^= c << 1, c += d >> 3, d ^= e + i, e += f * 3, f ^= g >> 2, g += h ^ a, h += b;
            asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f), "+r"(g), "+r"(h));
        }
        return a ^ b ^ c ^ d ^ e ^ f ^ g ^ h;
    };
    u64 const expected = compute();
    Result<smp::CpuSet> const set = only(cpu);
    REQUIRE(set.has_value());
    std::atomic<bool> end{false};
    // Comes at any moment, as a real-time thread that a timer wakes.
    auto intruder = [&] {
        while (!end.load(std::memory_order_relaxed))
            (void)park_until([] { return false; }, hal::now() + Nanoseconds::from_us(100));
    };
    auto thread = make_thread(intruder, &*set, {.kind = PolicyKind::Fifo, .priority = 1});
    REQUIRE(thread.has_value());
    (*thread)->start();
    for (int i = 0; i < 20; ++i)
        if (!EXPECT_EQ(compute(), expected)) break;
    end.store(true, std::memory_order_relaxed);
    EXPECT((*thread)->join().has_value());
}

TEST_EACH_CPU(thread, realtime_runs_before_start_returns) {
    Result<smp::CpuSet> const set = only(cpu);
    REQUIRE(set.has_value());
    std::atomic<bool> ran{false};
    auto body = [&] { ran.store(true, std::memory_order_relaxed); };
    auto thread = make_thread(body, &*set, {.kind = PolicyKind::Fifo, .priority = 1});
    REQUIRE(thread.has_value());
    (*thread)->start();
    EXPECT(ran.load(std::memory_order_relaxed));
    EXPECT((*thread)->join().has_value());
}

TEST_EACH_CPU(thread, a_new_policy_takes_effect_at_once) {
    Result<smp::CpuSet> const set = only(cpu);
    REQUIRE(set.has_value());
    std::atomic<bool> ran{false};
    auto body = [&] { ran.store(true, std::memory_order_relaxed); };
    Policy const before = current().policy();
    REQUIRE(current().set_policy({.kind = PolicyKind::Fifo, .priority = 10}).has_value());
    auto thread = make_thread(body, &*set, {.kind = PolicyKind::Idle});
    REQUIRE(thread.has_value());
    (*thread)->start();
    EXPECT(!ran.load(std::memory_order_relaxed));
    EXPECT((*thread)->set_policy({.kind = PolicyKind::Fifo, .priority = 9}).has_value());
    EXPECT(!ran.load(std::memory_order_relaxed));
    EXPECT((*thread)->set_policy({.kind = PolicyKind::Fifo, .priority = 11}).has_value());
    EXPECT(ran.load(std::memory_order_relaxed));
    EXPECT(current().set_policy(before).has_value());
    EXPECT((*thread)->join().has_value());
}

// More urgent first; equals in the order in which they came; a yield goes behind the equals.
TEST_EACH_CPU(thread, realtime_order) {
    Result<smp::CpuSet> const set = only(cpu);
    REQUIRE(set.has_value());
    struct Runner {
        u32 number;
        std::atomic<u32>* next;
        u32 order[2];
        void operator()() {
            order[0] = next->fetch_add(1, std::memory_order_relaxed);
            yield();
            order[1] = next->fetch_add(1, std::memory_order_relaxed);
        }
    };
    std::atomic<u32> next{0};
    u8 const priorities[] = {10, 30, 30, 20};
    Runner runners[4];
    Ref<Thread> threads[4];
    Policy const before = current().policy();
    REQUIRE(current().set_policy({.kind = PolicyKind::Fifo, .priority = 50}).has_value());
    for (u32 i = 0; i < 4; ++i) {
        runners[i] = {.number = i, .next = &next, .order = {}};
        auto thread = make_thread(runners[i], &*set, {.kind = PolicyKind::Fifo, .priority = priorities[i]});
        REQUIRE(thread.has_value());
        threads[i] = std::move(*thread);
        threads[i]->start();
    }
    EXPECT_EQ(next.load(std::memory_order_relaxed), 0u);
    for (auto& thread : threads) EXPECT(thread->join().has_value());
    EXPECT(current().set_policy(before).has_value());
    u32 const expected[4][2] = {{6, 7}, {0, 2}, {1, 3}, {4, 5}};
    for (u32 i = 0; i < 4; ++i)
        for (u32 j = 0; j < 2; ++j) EXPECT_EQ(runners[i].order[j], expected[i][j]);
}

// A yield lets the other run, though that has had more of its share.
TEST_EACH_CPU(thread, fair_yield_goes_behind) {
    Result<smp::CpuSet> const set = only(cpu);
    REQUIRE(set.has_value());
    std::atomic<u32> turns{0};
    std::atomic<bool> end{false};
    auto greedy = [&] {
        while (!end.load(std::memory_order_relaxed)) {
            turns.fetch_add(1, std::memory_order_relaxed);
            hal::delay(Nanoseconds::from_us(20));
            yield();
        }
    };
    auto thread = make_thread(greedy, &*set);
    REQUIRE(thread.has_value());
    (*thread)->start();
    for (int i = 0; i < 20; ++i) yield();
    // Now and then a third thread is there and runs instead.
    EXPECT(turns.load(std::memory_order_relaxed) >= 10);
    end.store(true, std::memory_order_relaxed);
    EXPECT((*thread)->join().has_value());
}

// Two that never block end up on two CPUs, whoever started them where.
TEST(thread, idle_cpus_take_waiting_threads, .min_cpus = 2) {
    std::atomic<u32> places[2] = {~u32{0}, ~u32{0}};
    std::atomic<bool> apart{false};
    auto const run = [&](u32 self) {
        while (!apart.load(std::memory_order_relaxed)) {
            u32 const mine = here().value();
            places[self].store(mine, std::memory_order_relaxed);
            u32 const other = places[1 - self].load(std::memory_order_relaxed);
            if (other != ~u32{0} && other != mine) apart.store(true, std::memory_order_relaxed);
            arch::pause();
        }
    };
    auto first_body = [&] { run(0); };
    auto second_body = [&] { run(1); };
    auto first = make_thread(first_body);
    auto second = make_thread(second_body);
    REQUIRE(first.has_value() && second.has_value());
    (*first)->start();
    (*second)->start();
    EXPECT((*first)->join().has_value());
    EXPECT((*second)->join().has_value());
}

// Tokens go round all CPUs, each hop a wake-up. A lost one stops the ring, and the case runs into its limit.
TEST_ALL_CPUS(thread, wake_up_storm) {
    struct Seat {
        std::atomic<Thread*> thread{nullptr};
        std::atomic<u32> tokens{0};
    };
    static constinit smp::DynamicPerCpu<Seat> seats;
    if (cpu.value() == 0) {
        auto made = smp::DynamicPerCpu<Seat>::create();
        CHECK(made, "no memory for the seats");
        seats = std::move(*made);
    }
    harness::meet();
    Seat& mine = seats.on(cpu);
    Seat& next = seats.on(CpuId{(cpu.value() + 1) % cpus});
    mine.thread.store(&current(), std::memory_order_relaxed);
    harness::meet();
    u32 const hops = harness::rounds_each(1500, cpus);
    if (cpu.value() == 0) mine.tokens.store(1, std::memory_order_relaxed);
    u32 taken = 0;
    while (taken < hops) {
        // acquire: pairs with the release below.
        (void)park_until([&] { return mine.tokens.load(std::memory_order_acquire) != 0; });
        u32 const tokens = mine.tokens.exchange(0, std::memory_order_acquire);
        taken += tokens;
        next.tokens.fetch_add(tokens, std::memory_order_release);
        smp::WakePath const path;
        next.thread.load(std::memory_order_relaxed)->unpark();
    }
    harness::meet();
    if (cpu.value() == 0) seats = {};
}

TEST_ALL_CPUS(thread, storm_of_short_lives) {
    std::atomic<u32> ran{0};
    auto body = [&] { ran.fetch_add(1, std::memory_order_relaxed); };
    u32 const rounds = harness::rounds_each(20, cpus);
    constexpr u32 kAtOnce = 4;
    for (u32 round = 0; round < rounds; ++round) {
        Ref<Thread> threads[kAtOnce];
        for (Ref<Thread>& thread : threads) {
            auto made = make_thread(body);
            REQUIRE(made.has_value());
            thread = std::move(*made);
            thread->start();
        }
        for (Ref<Thread>& thread : threads) EXPECT(thread->join().has_value());
    }
    EXPECT_EQ(ran.load(std::memory_order_relaxed), rounds * kAtOnce);
}

// The last reference may be dropped where freeing is not possible.
TEST_EACH_CPU(thread, last_reference_dropped_by_a_handler) {
    auto body = [] {};
    for (int i = 0; i < 10; ++i) {
        auto thread = make_thread(body);
        REQUIRE(thread.has_value());
        (*thread)->start();
        EXPECT((*thread)->join().has_value());
        smp::call_on(CpuId{(cpu.value() + 1) % cpus}, [](void* argument) ISR_SAFE_LAMBDA { static_cast<Ref<Thread>*>(argument)->reset(); },
                     &*thread);
        EXPECT(!*thread);
    }
}

TEST(thread, interrupt_ends_interruptible_waits_only) {
    std::atomic<u32> outcome{0};
    auto body = [&] {
        Result<> const parked = park_until([] { return false; }, kNever, WaitMode::Interruptible);
        u32 bits = !parked && parked.error() == Error::Interrupted ? 1 : 0;
        // Still interrupted: the next one does not even begin.
        Result<> const again = park_until([] { return false; }, kNever, WaitMode::Interruptible);
        bits |= !again && again.error() == Error::Interrupted ? 2 : 0;
        Result<> const deaf = park_until([] { return false; }, hal::now() + Nanoseconds::from_ms(1));
        bits |= !deaf && deaf.error() == Error::TimedOut ? 4 : 0;
        current().clear_interrupt();
        outcome.store(bits, std::memory_order_relaxed);
    };
    auto thread = make_thread(body);
    REQUIRE(thread.has_value());
    (*thread)->start();
    (*thread)->interrupt();
    EXPECT((*thread)->join().has_value());
    EXPECT_EQ(outcome.load(std::memory_order_relaxed), 7u);
}

TEST_EACH_CPU(thread, switches_are_counted) {
    u64 const before = cpu_counters(cpu).switches;
    std::atomic<bool> end{false};
    auto body = [&] {
        while (!end.load(std::memory_order_relaxed)) yield();
    };
    Result<smp::CpuSet> const set = only(cpu);
    REQUIRE(set.has_value());
    auto thread = make_thread(body, &*set);
    REQUIRE(thread.has_value());
    (*thread)->start();
    for (int i = 0; i < 10; ++i) yield();
    end.store(true, std::memory_order_relaxed);
    EXPECT((*thread)->join().has_value());
    EXPECT(cpu_counters(cpu).switches >= before + 10);
    EXPECT((*thread)->voluntary_switches() > 0);
}

TEST_DEATH(thread, blocking_with_preemption_off, "must not block") {
    smp::PreemptGuard const guard;
    yield();
}

TEST_DEATH(thread, joining_with_interrupts_off, "must not block") {
    smp::IrqOffGuard const guard;
    (void)current().join();
}

}  // namespace
}  // namespace tutti::sched
