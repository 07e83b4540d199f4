// SPDX-License-Identifier: BSD-3-Clause
// Mutual exclusion shows in a plain counter: an update by two CPUs at once loses one.
#include "smp/spin/spin.hpp"

#include "base/vector.hpp"
#include "harness/test.hpp"
#include "sched/thread.hpp"
#include "smp/ipi/call.hpp"

namespace tutti::smp {
namespace {

using SpinLocks = harness::Types<TasSpinLock, TicketLock, QueuedSpinLock>;

constexpr u32 kRounds = 400;

// Two words that are equal whenever nobody is inside.
struct Pair {
    u64 first = 0;
    u64 second = 0;
    bool step() {
        bool const whole = first == second;
        *static_cast<u64 volatile*>(&first) = first + 1;
        *static_cast<u64 volatile*>(&second) = second + 1;
        return whole;
    }
};

struct Busy {  // contended locks wait in this way while it lives
    explicit Busy(bool compete) : before_{spin_waiters_compete()} { set_spin_waiters_compete(compete); }
    ~Busy() { set_spin_waiters_compete(before_); }

  private:
    bool before_;
};

template <class Lock>
struct Shared {
    explicit Shared(char const* name) : lock{LockRank::Driver, name} {}
    Lock lock;
    Pair guarded;
    std::atomic<u32> torn{0};
    std::atomic<u32> steps{0};
    void step() {
        if (!guarded.step()) torn.fetch_add(1, std::memory_order_relaxed);
        steps.fetch_add(1, std::memory_order_relaxed);
    }
    void check(u32 expected) {
        EXPECT_EQ(torn.load(std::memory_order_relaxed), 0u);
        EXPECT_EQ(steps.load(std::memory_order_relaxed), expected);
        EXPECT_EQ(guarded.first, u64{expected});
        EXPECT_EQ(guarded.second, u64{expected});
        EXPECT(!lock.is_locked());
    }
};

// One thread for each CPU runs body(cpu); returns when all have ended.
template <class Body>
void on_all_cpus(Body&& body) {
    struct Start {
        std::remove_reference_t<Body>* body;
        u32 cpu;
        Ref<sched::Thread> thread{};
    };
    u32 const cpus = online_count();
    Vector<Start> starts;
    REQUIRE(starts.try_resize(cpus));
    for (u32 i = 0; i < cpus; ++i) {
        starts[i].body = &body;
        starts[i].cpu = i;
        auto set = CpuSet::create(cpu_count());
        REQUIRE(set);
        set->add(CpuId{i});
        auto thread = sched::Thread::create({.name = "spinner", .affinity = &*set},
                                            [](void* argument) ISR_SAFE_LAMBDA {
                                                auto& start = *static_cast<Start*>(argument);
                                                (*start.body)(start.cpu);
                                            },
                                            &starts[i]);
        REQUIRE(thread);
        starts[i].thread = std::move(*thread);
    }
    for (auto& start : starts) start.thread->start();
    for (auto& start : starts) (void)start.thread->join();
}

TEST_TYPES(spin_lock, excludes_with_preemption_off, SpinLocks) {
    for (bool const compete : {true, false}) {
        Busy const busy{compete};
        Shared<Type> shared{"taken with preemption off"};
        u32 const rounds = compete ? kRounds : kRounds / 4;
        on_all_cpus([&](u32) {
            for (u32 i = 0; i < rounds; ++i) {
                SpinGuard guard{shared.lock};
                shared.step();
            }
        });
        shared.check(rounds * online_count());
    }
}

TEST_TYPES(spin_lock, every_form_excludes_every_other, SpinLocks) {
    for (bool const compete : {true, false}) {
        Busy const busy{compete};
        Shared<Type> shared{"taken with interrupts off"};
        u32 const rounds = compete ? kRounds / 4 : kRounds / 16;
        std::atomic<u32> taken{0};
        on_all_cpus([&](u32 cpu) {
            SplitMix64 random = harness::random(cpu);
            u32 own = 0;
            for (u32 i = 0; i < rounds; ++i) {
                // Interrupts off throughout: the debug build watches for handlers otherwise.
                switch (random.next() % 5) {
                    case 0: {
                        SpinIrqGuard guard{shared.lock};
                        shared.step(), ++own;
                        break;
                    }
                    case 1: {
                        SpinIrqOffGuard guard{shared.lock};
                        shared.step(), ++own;
                        break;
                    }
                    case 2: {
                        IrqOffGuard here;
                        SpinPlainGuard guard{shared.lock, here};
                        shared.step(), ++own;
                        break;
                    }
                    case 3: {
                        SpinTryIrqGuard guard{shared.lock};
                        EXPECT(!arch::interrupts_enabled());
                        if (guard) shared.step(), ++own;
                        break;
                    }
                    default: {
                        SpinTryIrqOffGuard guard{shared.lock};
                        if (guard) shared.step(), ++own;
                    }
                }
                EXPECT(arch::interrupts_enabled() && preempt_depth() == 0);
            }
            taken.fetch_add(own, std::memory_order_relaxed);
        });
        shared.check(taken.load(std::memory_order_relaxed));
    }
}

TEST_TYPES(spin_lock, try_reports_its_result, SpinLocks) {
    Type lock{LockRank::Driver, "try test"};
    {
        PreemptGuard here;
        SpinTryPlainGuard free{lock, here};
        REQUIRE(free);
        EXPECT(lock.is_locked());
        EXPECT(!lock.try_lock(here));
        SpinTryGuard taken{lock};
        EXPECT(!taken);
    }
    EXPECT(!lock.is_locked());
    SpinTryGuard again{lock};
    EXPECT(static_cast<bool>(again));
}

// Handlers on every CPU take the lock that threads hold with interrupts off.
TEST_TYPES(spin_lock, excludes_interrupt_handlers, SpinLocks) {
    Shared<Type> shared{"taken by handlers"};
    std::atomic<u32> in_handlers{0};
    struct Call {
        Shared<Type>& shared;
        std::atomic<u32>& count;
    } call{shared, in_handlers};
    constexpr u32 kCalls = 6;
    on_all_cpus([&](u32) {
        for (u32 i = 0; i < kCalls; ++i) {
            {
                SpinIrqGuard guard{shared.lock};
                shared.step();
            }
            call_on_all(
                [](void* argument) ISR_SAFE_LAMBDA {
                    auto& own = *static_cast<Call*>(argument);
                    SpinIrqGuard guard{own.shared.lock};
                    own.shared.step();
                    own.count.fetch_add(1, std::memory_order_relaxed);
                },
                &call);
        }
    });
    u32 const count = online_count();
    EXPECT_EQ(in_handlers.load(std::memory_order_relaxed), kCalls * count * count);
    shared.check(kCalls * count + kCalls * count * count);
}

// Holds the lock until somebody waits in line, releases it and takes it again: the waiter has been in between.
template <class Lock, class HasWaiter>
void check_waiter_goes_first(Lock& lock, HasWaiter&& has_waiter) {
    u64 entries = 0;  // under the lock
    std::atomic<bool> stop{false};
    std::atomic<u32> rounds{0};
    constexpr u32 kWanted = 10;
    on_all_cpus([&](u32 cpu) {
        if (cpu == 0) {
            for (u32 round = 0; round < kWanted; ++round) {
                PreemptGuard here;
                lock.lock(here);
                while (!has_waiter()) arch::pause();
                u64 const before = entries;
                lock.unlock();
                lock.lock(here);
                if (entries != before) rounds.fetch_add(1, std::memory_order_relaxed);
                lock.unlock();
            }
            stop.store(true, std::memory_order_relaxed);
        } else if (cpu == 1) {
            while (!stop.load(std::memory_order_relaxed)) {
                SpinGuard guard{lock};
                entries = entries + 1;
            }
        }
    });
    EXPECT_EQ(rounds.load(std::memory_order_relaxed), kWanted);
}

TEST(spin_lock, ticket_waiter_goes_first, .min_cpus = 2) {
    TicketLock lock{LockRank::Driver, "ticket order"};
    check_waiter_goes_first(lock, [&] { return lock.raw().holder_and_waiters() > 1; });
}

TEST(spin_lock, queued_waiter_goes_first, .min_cpus = 2) {
    Busy const busy{false};
    QueuedSpinLock lock{LockRank::Driver, "queue order"};
    check_waiter_goes_first(lock, [&] { return lock.raw().has_queue(); });
}

TEST(spin_lock, sizes_are_what_the_headers_say) {
    EXPECT_EQ(sizeof(RawTasLock), 1u);
    EXPECT_EQ(sizeof(RawTicketLock), 4u);
    EXPECT_EQ(sizeof(RawQueuedLock), 4u);
    EXPECT_EQ(queued_lock::tail_cpu(queued_lock::encode_tail(0x1fffff, 3)), 0x1fffffu);
    EXPECT_EQ(queued_lock::tail_index(queued_lock::encode_tail(0x1fffff, 3)), 3u);
}

}  // namespace
}  // namespace tutti::smp
