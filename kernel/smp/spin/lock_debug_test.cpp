// SPDX-License-Identifier: BSD-3-Clause
// Every misuse of a spin lock ends in a panic that says what it was. The locks are statics: who dies leaves them locked.
#include "smp/spin/lock_debug.hpp"

#include "harness/test.hpp"
#include "sched/thread.hpp"
#include "smp/ipi/call.hpp"
#include "smp/spin/big_reader_lock.hpp"

// The compiler's analysis finds most of these by itself.
#pragma clang diagnostic ignored "-Wthread-safety-analysis"

namespace tutti::smp {
namespace {

TEST_DEATH(lock_debug, recursion, "taken twice by one CPU") {
    static constinit SpinLock lock{LockRank::Driver, "recursion"};
    SpinGuard outer{lock};
    SpinGuard inner{lock};
}
TEST_DEATH(lock_debug, reader_recursion, "taken twice by one CPU") {
    static constinit SpinRwLock lock{LockRank::Driver, "reader recursion"};
    SpinReadGuard outer{lock};
    SpinReadGuard inner{lock};
}
TEST_DEATH(lock_debug, writer_inside_reader, "taken twice by one CPU") {
    static constinit SpinRwLock lock{LockRank::Driver, "upgrade"};
    SpinReadGuard outer{lock};
    SpinWriteGuard inner{lock};
}
TEST_DEATH(lock_debug, unlock_of_a_free_lock, "released by a CPU that does not hold it") {
    static constinit SpinLock lock{LockRank::Driver, "never taken"};
    lock.unlock();
}
TEST_DEATH(lock_debug, double_unlock, "released by a CPU that does not hold it") {
    static constinit TicketLock lock{LockRank::Driver, "double unlock"};
    PreemptGuard here;
    lock.lock(here);
    lock.unlock();
    lock.unlock();
}
TEST_DEATH(lock_debug, reader_unlock_of_a_free_lock, "does not hold it for reading") {
    static constinit SpinRwLock lock{LockRank::Driver, "never read"};
    lock.unlock_shared();
}
TEST_DEATH(lock_debug, unlock_of_another_cpus_lock, "released by a CPU that does not hold it", .min_cpus = 2) {
    static constinit SpinLock lock{LockRank::Driver, "another CPU's"};
    PinGuard pinned;
    CpuId const other{(this_cpu(pinned).value() + 1) % online_count()};
    // What the other CPU does in its handler is a take and a release on its books, and locked for us in between.
    static constinit std::atomic<u32> phase{0};
    static constinit CallRequest request{[](void*) ISR_SAFE_LAMBDA NO_THREAD_SAFETY_ANALYSIS {
                                             AssumeIrqOff const here;
                                             lock.lock(here);
                                             phase.store(1, std::memory_order_release);
                                             while (phase.load(std::memory_order_acquire) != 2) arch::pause();
                                             lock.unlock();
                                         },
                                         nullptr};
    request.send(other);
    PreemptGuard here;
    while (phase.load(std::memory_order_acquire) != 1) arch::pause();
    phase.store(2, std::memory_order_release);
    while (lock.is_locked()) arch::pause();
    lock.unlock();
}

TEST_DEATH(lock_debug, rank_inversion, "lock order: 'outer rank' taken while 'inner rank' is held") {
    static constinit SpinLock outer{LockRank::Driver, "outer rank"};
    static constinit SpinLock inner{LockRank::RunQueue, "inner rank"};
    SpinGuard first{inner};
    SpinGuard second{outer};
}
TEST_DEATH(lock_debug, same_rank_without_a_reason, "lock order") {
    static constinit SpinLock a{LockRank::Driver, "one of a rank"};
    static constinit SpinLock b{LockRank::Driver, "other of a rank"};
    SpinGuard first{a};
    SpinGuard second{b};
}
TEST_DEATH(lock_debug, order_by_address, "at a higher address is held") {
    static constinit SpinLock locks[2]{{LockRank::Driver, "by address"}, {LockRank::Driver, "by address"}};
    {
        SpinGuard first{locks[0]};
        SpinGuard second{locks[1], SameRank::OrderedByAddress};
    }
    SpinGuard first{locks[1]};
    SpinGuard second{locks[0], SameRank::OrderedByAddress};
}
// Nobody waits anywhere: the order alone is the mistake.
TEST_DEATH(lock_debug, learnt_inversion, "and elsewhere the other way round") {
    static constinit SpinLock a{LockRank::Driver, "learnt a"};
    static constinit SpinLock b{LockRank::Driver, "learnt b"};
    static constinit SpinLock c{LockRank::Driver, "learnt c"};
    auto const nest = [](SpinLock& outer, SpinLock& inner) {
        SpinGuard first{outer};
        SpinGuard second{inner, SameRank::ParentBeforeChild};
    };
    nest(a, b);
    nest(b, c);
    nest(a, c);
    nest(a, b);  // again: known
    nest(c, a);  // closes a cycle over three
}
TEST(lock_debug, a_try_may_come_in_any_order) {
    SpinLock outer{LockRank::Driver, "try outer"};
    SpinLock inner{LockRank::RunQueue, "try inner"};
    SpinGuard first{inner};
    SpinTryGuard second{outer};
    EXPECT(static_cast<bool>(second));
    EXPECT_EQ(spin_locks_held(), 2u);
}

void take_in_handler(SpinLock& lock) {
    CallRequest request{[](void* argument) ISR_SAFE_LAMBDA { SpinIrqGuard guard{*static_cast<SpinLock*>(argument)}; }, &lock};
    PreemptGuard const here;
    request.send(this_cpu(here));
    while (request.busy() || lock.is_locked()) arch::pause();
}
TEST_DEATH(lock_debug, handlers_lock_with_interrupts_on, "taken by interrupt handlers, and elsewhere with interrupts on") {
    static constinit SpinLock lock{LockRank::Driver, "handler's"};
    take_in_handler(lock);
    SpinGuard guard{lock};
}
TEST_DEATH(lock_debug, handlers_lock_around_an_open_one, "which interrupt handlers take, is held while waiting for") {
    static constinit SpinLock outer{LockRank::Driver, "handler's outer"};
    static constinit SpinLock inner{LockRank::RunQueue, "open inner"};
    take_in_handler(outer);
    { SpinGuard guard{inner}; }
    SpinIrqGuard first{outer};
    SpinIrqGuard second{inner};
}
TEST_DEATH(lock_debug, handler_takes_what_is_around_an_open_one, "one is taken by interrupt handlers, the other") {
    static constinit SpinLock outer{LockRank::Driver, "later handler's"};
    static constinit SpinLock inner{LockRank::RunQueue, "open inside"};
    {
        SpinIrqGuard first{outer};
        SpinIrqGuard second{inner};
    }
    take_in_handler(outer);
    SpinGuard guard{inner};
}

struct Liar : NoPreempt {
    Liar() = default;
};
TEST_DEATH(lock_debug, preemption_on, "taken with preemption on") {
    static constinit SpinLock lock{LockRank::Driver, "wrong rung"};
    lock.lock(Liar{});
    lock.unlock();
}
TEST_DEATH(lock_debug, irqs_known_on_are_off, "interrupts are off already") {
    static constinit SpinLock lock{LockRank::Driver, "known on"};
    IrqOffGuard here;
    SpinIrqOffGuard guard{lock};
}
TEST_DEATH(lock_debug, sleep_under_a_lock, "must not block") {
    static constinit SpinLock lock{LockRank::Driver, "slept under"};
    SpinGuard guard{lock};
    sched::yield();
}
TEST_DEATH(lock_debug, return_to_user_under_a_lock, "spin lock 'kept' held on return to user mode") {
    static constinit SpinLock lock{LockRank::Driver, "kept"};
    SpinGuard guard{lock};
    check_may_return_to_user();
}
TEST_DEATH(lock_debug, waiting_for_cpus_under_an_irq_lock, "waiting for other CPUs while holding") {
    static constinit SpinLock lock{LockRank::Driver, "deaf"};
    { SpinIrqGuard guard{lock}; }
    SpinGuard guard{lock};
    call_on_all([](void*) ISR_SAFE_LAMBDA {}, nullptr);
}
TEST_DEATH(lock_debug, destroyed_while_held, "destroyed while CPU") {
    PreemptGuard here;
    SpinLock lock{LockRank::Driver, "short-lived"};
    lock.lock(here);
}

TEST(lock_debug, releases_come_in_any_order) {
    SpinLock a{LockRank::Driver, "any order a"};
    SpinLock b{LockRank::RunQueue, "any order b"};
    PreemptGuard here;
    for (u32 i = 0; i < 40; ++i) {
        a.lock(here);
        b.lock(here);
        a.unlock();
        EXPECT_EQ(spin_locks_held(), 1u);
        b.unlock();
        EXPECT_EQ(spin_locks_held(), 0u);
    }
}

TEST(irq_off_watch, reports_a_place_once) {
    Nanoseconds const before = set_irq_off_limit(Nanoseconds::from_us(1));
    u32 const reports = irq_off_reports();
    for (u32 i = 0; i < 3; ++i) {
        IrqOffGuard here;
        for (u32 k = 0; k < 2000; ++k) arch::pause();
    }
    u32 const after = irq_off_reports();
    (void)set_irq_off_limit(before);
    // Handlers that come meanwhile are reported as well.
    EXPECT(after > reports);
}

}  // namespace
}  // namespace tutti::smp
