// SPDX-License-Identifier: BSD-3-Clause
// Everything that parks: wait queues, semaphores, events, mutexes, condition variables; deadlines and interruptions.
#include "engine/interleave.hpp"
#include "machine/threads.hpp"
#include "sched/park.hpp"
#include "sched/thread.hpp"
#include "sched/wait/condition_variable.hpp"
#include "sched/wait/event.hpp"
#include "sched/wait/mutex.hpp"
#include "sched/wait/recursive_mutex.hpp"
#include "sched/wait/semaphore.hpp"

namespace tutti::interleave {

namespace {
constexpr Deadline kSoon{1000};

void wake(sched::Thread& thread) {
    smp::WakePath const path;
    thread.unpark();
}
void again(sched::RecursiveMutex& mutex) { sched::RecursiveMutexGuard inner{mutex}; }
bool take(std::atomic<int>& tokens) {
    int have = tokens.load(std::memory_order_relaxed);
    while (have != 0)
        if (tokens.compare_exchange_weak(have, have - 1, std::memory_order_relaxed)) return true;
    return false;
}
}

// --- parking --------------------------------------------------------------------------------------------------------
INTERLEAVE(park_and_unpark, {.preemptions = 4}) {
    start_threads(2);
    sched::Thread& waiter_thread = sched::current();
    int data = 0;
    std::atomic<bool> ready{false};
    auto const waiter = [&] {
        REQUIRE(sched::park_until([&] { return ready.load(std::memory_order_relaxed); }).has_value());
        // relaxed above: the notice itself makes the data visible, unless the test saw the flag before any notice.
    };
    auto const waker = [&] {
        data = 1;
        ready.store(true, std::memory_order_release);
        wake(waiter_thread);
    };
    run_on_cpus(waiter, waker);
    REQUIRE(data == 1);
}
// The data are visible after a notice alone, with no other order between the two.
INTERLEAVE(unpark_publishes, {.preemptions = 4}) {
    start_threads(2);
    sched::Thread& waiter_thread = sched::current();
    int data = 0;
    auto const waiter = [&] {
        REQUIRE(sched::park_step(sched::current(), kNever, sched::WaitMode::Uninterruptible).has_value());
        REQUIRE(data == 1);
    };
    auto const waker = [&] {
        data = 1;
        wake(waiter_thread);
    };
    run_on_cpus(waiter, waker);
}
INTERLEAVE(park_with_two_wakers, {.preemptions = 3}) {
    start_threads(3);
    sched::Thread& waiter_thread = sched::current();
    std::atomic<int> count{0};
    auto const waiter = [&] { REQUIRE(sched::park_until([&] { return count.load(std::memory_order_acquire) == 2; }).has_value()); };
    auto const waker = [&] {
        count.fetch_add(1, std::memory_order_release);
        wake(waiter_thread);
    };
    run_on_cpus(waiter, waker, waker);
}
INTERLEAVE(park_until_deadline, {.preemptions = 2}) {
    start_threads(2);
    sched::Thread& waiter_thread = sched::current();
    std::atomic<bool> ready{false};
    auto const waiter = [&] {
        Result<> const waited = sched::park_until([&] { return ready.load(std::memory_order_acquire); }, kSoon);
        REQUIRE(waited.has_value() || waited.error() == Error::TimedOut);
    };
    auto const waker = [&] {
        ready.store(true, std::memory_order_release);
        wake(waiter_thread);
    };
    run_on_cpus(waiter, waker);
}
INTERLEAVE(park_interrupted, {.preemptions = 3}) {
    start_threads(2);
    int reason = 0;
    auto const waiter = [&] {
        Result<> const waited = sched::park_until([] { return false; }, kNever, sched::WaitMode::Interruptible);
        REQUIRE(!waited.has_value() && waited.error() == Error::Interrupted);
        REQUIRE(reason == 1);
    };
    auto const interrupter = [&] {
        reason = 1;
        interrupt_thread(0);
    };
    run_on_cpus(waiter, interrupter);
}
// A thread gets work for its way out to user mode while another wakes it: it finds it, or is interrupted.
INTERLEAVE(return_work_and_wake_up, {.preemptions = 3}) {
    start_threads(3);
    sched::Thread& thread = sched::current();
    auto const waiter = [&] { (void)sched::park_step(thread, kNever, sched::WaitMode::Uninterruptible); };
    auto const waker = [&] { wake(thread); };
    auto const setter = [&] { thread.set_return_work(); };
    run_on_cpus(waiter, waker, setter);
    REQUIRE(has_return_work(0));
}

// --- timers -----------------------------------------------------------------------------------------------------------
// Whoever cancels and waits may destroy what the function uses, also from another CPU.
INTERLEAVE(timer_cancelled_elsewhere, {.preemptions = 2}) {
    start_threads(2);
    int data = 0;
    sched::Timer timer{[](void* argument) { ++*static_cast<int*>(argument); }, &data};
    std::atomic<bool> started{false};
    auto const starter = [&] {
        timer.start(kSoon);
        started.store(true, std::memory_order_release);
    };
    auto const canceller = [&] {
        if (!started.load(std::memory_order_acquire)) return;
        bool const pending = timer.cancel_and_wait();
        REQUIRE(data == (pending ? 0 : 1));
        data = 7;
    };
    run_on_cpus(starter, canceller);
    timer.cancel();
}

// --- wait queue -------------------------------------------------------------------------------------------------------
INTERLEAVE(wait_queue, {.preemptions = 2}) {
    start_threads(2);
    sched::WaitQueue queue{};
    std::atomic<bool> ready{false};
    auto const waiter = [&] { REQUIRE(queue.wait_until([&] { return ready.load(std::memory_order_relaxed); }).has_value()); };
    auto const waker = [&] {
        ready.store(true, std::memory_order_relaxed);
        queue.wake_one();
    };
    run_on_cpus(waiter, waker);
}
namespace {
void two_wait_for_two() {
    start_threads(3);
    sched::WaitQueue queue{};
    std::atomic<int> tokens{0};
    auto const waiter = [&] {
        REQUIRE(queue.wait_until([&] { return take(tokens); }).has_value());
    };
    auto const waker = [&] {
        for (int i = 0; i < 2; ++i) {
            tokens.fetch_add(1, std::memory_order_relaxed);
            queue.wake_one();
        }
    };
    run_on_cpus(waiter, waiter, waker);
    REQUIRE(tokens.load(std::memory_order_relaxed) == 0);
}
}  // namespace
INTERLEAVE(wait_queue_two_waiters, {.preemptions = 0}) { two_wait_for_two(); }
// One takes what it finds before it is woken for the other's: it passes that wake-up on.
INTERLEAVE(wait_queue_early_taker, {.preemptions = 3, .samples = 20000}) { two_wait_for_two(); }
// The one that times out passes its wake-up on.
INTERLEAVE(wait_queue_deadline_passes_on, {.preemptions = 0}) {
    start_threads(3);
    sched::WaitQueue queue{};
    std::atomic<int> tokens{0};
    auto const take_one = [&] { return take(tokens); };
    bool timed_out = false;
    auto const hasty = [&] { timed_out = !queue.wait_until(take_one, kSoon).has_value(); };
    auto const patient = [&] { REQUIRE(queue.wait_until(take_one).has_value()); };
    auto const waker = [&] {
        for (int i = 0; i < 2; ++i) {
            tokens.fetch_add(1, std::memory_order_relaxed);
            queue.wake_one();
        }
    };
    run_on_cpus(hasty, patient, waker);
    REQUIRE(tokens.load(std::memory_order_relaxed) == (timed_out ? 1 : 0));
}

// --- semaphore, event -------------------------------------------------------------------------------------------------
INTERLEAVE(semaphore, {.preemptions = 2}) {
    start_threads(2);
    sched::Semaphore semaphore{0};
    int data = 0;
    auto const consumer = [&] {
        semaphore.down();
        REQUIRE(data == 1);
    };
    auto const producer = [&] {
        data = 1;
        REQUIRE(semaphore.up().has_value());
    };
    run_on_cpus(consumer, producer);
    REQUIRE(semaphore.count() == 0);
}
namespace {
sched::Semaphore* g_semaphore;
}
INTERLEAVE(semaphore_up_from_an_interrupt, {.preemptions = 1}) {
    start_threads(2);
    sched::Semaphore semaphore{0};
    g_semaphore = &semaphore;
    raise_interrupt(0, [] { (void)g_semaphore->up(); });
    auto const consumer = [&] { semaphore.down(); };
    auto const other = [&] {
        (void)semaphore.up();
        semaphore.down();
    };
    run_on_cpus(consumer, other);
    REQUIRE(semaphore.count() == 0);
}
INTERLEAVE(event, {.preemptions = 2}) {
    start_threads(2);
    sched::Event event;
    int data = 0;
    auto const waiter = [&] {
        REQUIRE(event.wait().has_value());
        REQUIRE(data == 1);
    };
    auto const setter = [&] {
        data = 1;
        event.set();
    };
    run_on_cpus(waiter, setter);
}

// --- mutex ------------------------------------------------------------------------------------------------------------
INTERLEAVE(mutex, {.preemptions = 1, .spins_expire = true}) {
    start_threads(2);
    sched::Mutex mutex;
    int value = 0;
    auto const work = [&] {
        sched::MutexGuard guard{mutex};
        ++value;
    };
    run_on_cpus(work, work);
    REQUIRE(value == 2);
}
INTERLEAVE(mutex_twice, {.preemptions = 0, .spins_expire = true}) {
    start_threads(2);
    sched::Mutex mutex;
    int value = 0;
    auto const work = [&] {
        for (int i = 0; i < 2; ++i) {
            sched::MutexGuard guard{mutex};
            ++value;
        }
    };
    run_on_cpus(work, work);
    REQUIRE(value == 4);
}
INTERLEAVE(mutex_three, {.preemptions = 0, .spins_expire = true}) {
    start_threads(3);
    sched::Mutex mutex;
    int value = 0;
    auto const work = [&] {
        sched::MutexGuard guard{mutex};
        ++value;
    };
    run_on_cpus(work, work, work);
    REQUIRE(value == 3);
}
// A newcomer takes the mutex that was meant for a woken waiter; the second time it is handed over.
INTERLEAVE(mutex_starved_waiter, {.spins_expire = true, .samples = 20000}) {
    start_threads(3);
    sched::Mutex mutex;
    int value = 0;
    auto const work = [&] {
        for (int i = 0; i < 3; ++i) {
            sched::MutexGuard guard{mutex};
            ++value;
        }
    };
    auto const once = [&] {
        sched::MutexGuard guard{mutex};
        ++value;
    };
    run_on_cpus(work, work, once);
    REQUIRE(value == 7);
}
INTERLEAVE(mutex_deadline, {.preemptions = 1, .spins_expire = true}) {
    start_threads(2);
    sched::Mutex mutex;
    int value = 0;
    auto const patient = [&] {
        sched::MutexGuard guard{mutex};
        ++value;
    };
    auto const hasty = [&]() NO_THREAD_SAFETY_ANALYSIS {
        if (!mutex.lock_until(kSoon, sched::WaitMode::Uninterruptible)) mutex.lock();
        ++value;
        mutex.unlock();
    };
    run_on_cpus(patient, hasty);
    REQUIRE(value == 2);
}

INTERLEAVE(recursive_mutex, {.preemptions = 0, .spins_expire = true}) {
    start_threads(2);
    sched::RecursiveMutex mutex;
    int value = 0;
    auto const work = [&] {
        sched::RecursiveMutexGuard outer{mutex};
        ++value;
        again(mutex);
        ++value;
    };
    run_on_cpus(work, work);
    REQUIRE(value == 4 && !mutex.is_held_by_current());
}

// --- condition variable -------------------------------------------------------------------------------------------------
INTERLEAVE(condition_variable, {.preemptions = 0, .spins_expire = true}) {
    start_threads(2);
    sched::Mutex mutex;
    sched::ConditionVariable changed;
    bool ready = false;
    auto const waiter = [&] {
        sched::MutexGuard guard{mutex};
        REQUIRE(changed.wait_until(mutex, [&] { return ready; }).has_value());
    };
    auto const waker = [&] {
        {
            sched::MutexGuard guard{mutex};
            ready = true;
        }
        changed.notify_one();
    };
    run_on_cpus(waiter, waker);
}

}  // namespace tutti::interleave
