// SPDX-License-Identifier: BSD-3-Clause
// What the blocking primitives do when they are used wrongly: each of these panics, and says why.
#include "sched/timers/sleep.hpp"
#include "sched/wait/barrier.hpp"
#include "sched/wait/condition_variable.hpp"
#include "sched/wait/crew_test.hpp"
#include "sched/wait/event.hpp"
#include "sched/wait/once.hpp"
#include "sched/wait/recursive_mutex.hpp"
#include "sched/wait/rw_lock.hpp"
#include "sched/wait/semaphore.hpp"
#include "smp/ipi/call.hpp"

namespace tutti::sched {
namespace {

// In storage that no destructor looks at when the test's thread is abandoned.
template <class T>
union Kept {
    Kept() : value{} {}
    template <class... Args>
    explicit Kept(Args... args) : value{args...} {}
    ~Kept() {}
    T value;
};
// A thread that runs body(); the caller's reference is put by hand.
template <class Body>
Thread& stray(Body const& body) {
    auto made = Thread::create({.name = "stray"},
                               [](void* argument) { (*static_cast<Body const*>(argument))(); },
                               const_cast<Body*>(&body));
    CHECK(made);
    (*made)->start();
    Thread& thread = *(*made).get();
    thread.get();
    return thread;
}

// --- unlock by a non-owner, double unlock ---------------------------------------------------------------------------
TEST_DEATH(misuse, mutex_unlocked_while_free, "does not hold it") {
    static Mutex mutex;
    unlock(mutex);
}
TEST_DEATH(misuse, mutex_unlocked_twice, "does not hold it") {
    static Mutex mutex;
    lock(mutex);
    unlock(mutex);
    unlock(mutex);
}
TEST_DEATH(misuse, mutex_unlocked_by_another_thread, "does not hold it") {
    static Kept<Mutex> mutex;
    static auto const owner = [] {
        lock(mutex.value);
        forget_held_locks();  // which it may not keep at its end
    };
    Thread& thread = stray(owner);
    yield_until([&] { return thread.has_ended(); });
    thread.put();
    unlock(mutex.value);
}
TEST_DEATH(misuse, recursive_mutex_unlocked_too_often, "does not hold it") {
    static RecursiveMutex mutex;
    lock(mutex);
    lock(mutex);
    for (int i = 0; i < 3; ++i) unlock(mutex);
}
TEST_DEATH(misuse, rw_lock_released_by_a_writer_that_is_none, "does not write") {
    static RwLock lock_;
    unlock(lock_);
}
TEST_DEATH(misuse, rw_lock_released_by_a_reader_that_is_none, "nobody reads") {
    static RwLock lock_;
    [](RwLock& what) NO_THREAD_SAFETY_ANALYSIS { what.unlock_shared(); }(lock_);
}
TEST_DEATH(misuse, rw_lock_read_release_of_a_writer, "nobody reads") {
    static Kept<RwLock> lock_;
    lock(lock_.value);
    [](RwLock& what) NO_THREAD_SAFETY_ANALYSIS { what.unlock_shared(); }(lock_.value);
}
TEST_DEATH(misuse, rw_lock_write_release_of_a_reader, "does not write") {
    static Kept<RwLock> lock_;
    [](RwLock& what) NO_THREAD_SAFETY_ANALYSIS { what.lock_shared(); }(lock_.value);
    unlock(lock_.value);
}
TEST_DEATH(misuse, condition_variable_without_its_mutex, "does not hold it") {
    static Mutex mutex;
    static Kept<ConditionVariable> condition;
    [](Mutex& m) NO_THREAD_SAFETY_ANALYSIS { (void)condition.value.wait(m); }(mutex);
}

// --- recursion -------------------------------------------------------------------------------------------------------
TEST_DEATH(misuse, mutex_locked_twice, "locked twice by its owner") {
    static Kept<Mutex> mutex;
    lock(mutex.value);
    lock(mutex.value);
}
TEST_DEATH(misuse, mutex_locked_twice_with_a_deadline, "locked twice by its owner") {
    static Kept<Mutex> mutex;
    lock(mutex.value);
    (void)mutex.value.lock_until(past(), WaitMode::Uninterruptible);
}
TEST(misuse, try_lock_by_the_owner_fails) {
    Mutex mutex;
    lock(mutex);
    EXPECT(!try_lock(mutex));
    unlock(mutex);
    RwLock lock_;
    lock(lock_);
    EXPECT(!try_lock(lock_));
    unlock(lock_);
}
TEST_DEATH(misuse, rw_lock_locked_twice_by_its_writer, "locked twice by its writer") {
    static Kept<RwLock> lock_;
    lock(lock_.value);
    lock(lock_.value);
}
TEST_DEATH(misuse, rw_lock_read_by_its_writer, "by the thread that writes") {
    static Kept<RwLock> lock_;
    lock(lock_.value);
    [](RwLock& what) NO_THREAD_SAFETY_ANALYSIS { what.lock_shared(); }(lock_.value);
}
TEST_DEATH(misuse, once_that_needs_itself, "needs itself done") {
    static Kept<Once> once;
    once.value.call([] { once.value.call([] {}); });
}

// --- destruction while held or with waiters ----------------------------------------------------------------------------
TEST_DEATH(misuse, mutex_destroyed_while_held, "mutex destroyed while held") {
    static Kept<Mutex> mutex;
    lock(mutex.value);
    mutex.value.~Mutex();
}
TEST_DEATH(misuse, rw_lock_destroyed_while_read, "rw lock destroyed while held") {
    static Kept<RwLock> lock_;
    [](RwLock& what) NO_THREAD_SAFETY_ANALYSIS { what.lock_shared(); }(lock_.value);
    lock_.value.~RwLock();
}
TEST_DEATH(misuse, once_destroyed_while_somebody_does_it, "destroyed while somebody does it") {
    static Kept<Once> once;
    once.value.call([] { once.value.~Once(); });
}

// A waiter that is there while the object is destroyed, and gives up afterwards, in memory that is still there.
template <class Wait, class Destroy>
void destroy_with_waiter(Wait const& wait, Destroy const& destroy) {
    Thread& waiter = stray(wait);
    yield_until_sleeping(waiter);
    EXPECT_DEATH("destroyed with waiters", [&] { destroy(); });
    waiter.interrupt();
    yield_until([&] { return waiter.has_ended(); });
    waiter.put();
}
TEST(misuse, destruction_with_waiters) {
    static Kept<Semaphore> semaphore{0u};
    destroy_with_waiter([] { (void)semaphore.value.down_until(kNever, WaitMode::Interruptible); },
                        [] { semaphore.value.~Semaphore(); });
    static Kept<Event> event;
    destroy_with_waiter([] { (void)event.value.wait(kNever, WaitMode::Interruptible); }, [] { event.value.~Event(); });
    static Kept<Barrier> barrier{2u};
    destroy_with_waiter([] { (void)barrier.value.arrive_and_wait_until(kNever, WaitMode::Interruptible); },
                        [] { barrier.value.~Barrier(); });
    static Kept<WaitQueue> queue;
    destroy_with_waiter([] { (void)queue.value.wait_until([] { return false; }, kNever, WaitMode::Interruptible); },
                        [] { queue.value.~WaitQueue(); });
}

// --- waiting on the wrong rung ------------------------------------------------------------------------------------------
constexpr char kWrongRung[] = "must not block";

TEST_DEATH(misuse, mutex_locked_with_preemption_off, kWrongRung) {
    static Mutex mutex;
    smp::PreemptGuard const here;
    lock(mutex);  // though nobody competes
}
TEST_DEATH(misuse, mutex_locked_with_interrupts_off, kWrongRung) {
    static Mutex mutex;
    smp::IrqOffGuard const here;
    lock(mutex);
}
TEST_DEATH(misuse, rw_lock_read_with_preemption_off, kWrongRung) {
    static RwLock lock_;
    smp::PreemptGuard const here;
    [](RwLock& what) NO_THREAD_SAFETY_ANALYSIS { what.lock_shared(); }(lock_);
}
TEST_DEATH(misuse, semaphore_down_with_interrupts_off, kWrongRung) {
    static Semaphore semaphore{1};
    smp::IrqOffGuard const here;
    semaphore.down();
}
TEST_DEATH(misuse, event_wait_under_a_spin_lock, kWrongRung) {
    static smp::SpinLock spin_lock{smp::LockRank::Driver, "test"};
    static Event event;
    event.set();
    smp::SpinGuard guard{spin_lock};
    (void)event.wait();
}
TEST_DEATH(misuse, barrier_in_an_interrupt_handler, kWrongRung) {
    static Barrier barrier{1};
    // The rung of a handler, but not reached from one: tools/isrcheck would rightly refuse the image.
    smp::IrqOffGuard const off;
    smp::IsrEntry const isr;
    barrier.arrive_and_wait();
}
TEST_DEATH(misuse, once_with_interrupts_off, kWrongRung) {
    static Once once;
    smp::IrqOffGuard const here;
    once.call([] {});
}
TEST_DEATH(misuse, sleep_with_preemption_off, kWrongRung) {
    smp::PreemptGuard const here;
    (void)sleep_for(Nanoseconds::from_us(1));
}
// The rung counts in release builds too once the call really blocks: that check is park_step()'s.
TEST_DEATH(misuse, wake_path_that_blocks, kWrongRung) {
    [](Thread& self) NO_THREAD_SAFETY_ANALYSIS {
        smp::WakePath const path;
        (void)park_step(self, kNever, WaitMode::Uninterruptible);
    }(current());
}

// --- arguments -----------------------------------------------------------------------------------------------------------
TEST_DEATH(misuse, barrier_for_nobody, "barrier for nobody") { Kept<Barrier> const barrier{0u}; }
TEST_DEATH(misuse, semaphore_that_starts_too_high, "more than it can hold") {
    Kept<Semaphore> const semaphore{Semaphore::kMaximum + 1};
}

}  // namespace
}  // namespace tutti::sched
