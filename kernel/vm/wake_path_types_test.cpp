// SPDX-License-Identifier: BSD-3-Clause
// Not linked into anything: the test types.wake_path compiles this with CASE 0, which must succeed, and with every other
// CASE, which the compiler must refuse, naming wake_path.
#include "mem/paging/tlb.hpp"
#include "sched/thread.hpp"
#include "sched/timers/sleep.hpp"
#include "sched/wait/barrier.hpp"
#include "sched/wait/condition_variable.hpp"
#include "sched/wait/event.hpp"
#include "sched/wait/once.hpp"
#include "sched/wait/recursive_mutex.hpp"
#include "sched/wait/rw_lock.hpp"
#include "sched/wait/semaphore.hpp"
#include "vm/user_copy.hpp"

namespace tutti {

struct Everything {
    sched::Thread& thread;
    smp::SpinLock spin_lock;
    sched::Mutex mutex;
    sched::RecursiveMutex recursive_mutex;
    sched::RwLock rw_lock;
    sched::Semaphore semaphore;
    sched::Event event;
    sched::Barrier barrier;
    sched::Once once;
    sched::ConditionVariable condition;
    sched::WaitQueue queue;
    mem::TlbDomain& tlb;
};

void allowed(Everything& e) {
    smp::WakePath const path;
    e.thread.unpark();
    e.thread.interrupt();
    (void)e.semaphore.up();
    (void)e.semaphore.try_down();
    e.event.set();
    e.condition.notify_all();
    e.queue.wake_all();
    smp::SpinIrqGuard guard{e.spin_lock};
}
void blocks_outside(Everything& e) {
    sched::MutexGuard guard{e.mutex};
    e.semaphore.down();
}

#if CASE == 1
void refused(Everything& e) { e.thread.unpark(); }  // not in a wake-up path
#else
void refused([[maybe_unused]] Everything& e) {
#if CASE >= 2 && CASE <= 20
    smp::WakePath const path;
#endif
#if CASE == 2
    smp::might_sleep();
#elif CASE == 3
    sched::yield();
#elif CASE == 4
    (void)sched::park_until([] { return true; });
#elif CASE == 5
    (void)sched::sleep_for(Nanoseconds{1});
#elif CASE == 6
    e.mutex.lock();
    e.mutex.unlock();
#elif CASE == 7
    (void)e.mutex.lock_until(kNever, sched::WaitMode::Interruptible);
#elif CASE == 8
    sched::MutexGuard const guard{e.mutex};
#elif CASE == 9
    sched::RecursiveMutexGuard const guard{e.recursive_mutex};
#elif CASE == 10
    sched::ReadGuard const guard{e.rw_lock};
#elif CASE == 11
    sched::WriteGuard const guard{e.rw_lock};
#elif CASE == 12
    e.semaphore.down();
#elif CASE == 13
    (void)e.event.wait();
#elif CASE == 14
    e.barrier.arrive_and_wait();
#elif CASE == 15
    e.once.call([] {});
#elif CASE == 16
    (void)e.queue.wait_until([] { return true; });
#elif CASE == 17
    (void)e.thread.join();
#elif CASE == 18
    u64 word = 0;
    (void)vm::copy_from_user(&word, VirtAddr{u64{4096}}, sizeof word);
#elif CASE == 19
    (void)vm::fault_in_user(VirtAddr{u64{4096}}, 1, true);
#elif CASE == 20
    e.tlb.flush(VirtAddr{u64{0}}, VirtAddr{u64{4096}});
#endif
}
#endif

#if CASE == 21
// A function that says it is part of a wake-up path is held to it.
void part_of_a_wake_path() REQUIRES(smp::wake_path) { sched::yield(); }
#elif CASE == 22
void needs_a_wake_path() REQUIRES(smp::wake_path);
void calls_it() { needs_a_wake_path(); }
#endif

}  // namespace tutti
