// SPDX-License-Identifier: BSD-3-Clause
// Our locks, as the kernel uses them.
#include "contest.hpp"
#include "sched/wait/mutex.hpp"
#include "sched/wait/rw_lock.hpp"
#include "sched/wait/semaphore.hpp"
#include "smp/spin/big_reader_lock.hpp"
#include "smp/spin/rw_lock.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::bench {
namespace {

using namespace tutti::smp;

constinit Protected data;

bool check_sum(std::uint64_t operations) {
    bool const right = data.value == operations;
    data.value = 0;
    return right;
}

// In a line of its own.
template <class T>
struct alignas(128) Alone {
    T it;
};

// On the caller's rung: preemption is off already.
template <class Lock>
void run_plain(Worker& worker) {
    static constinit Alone<Lock> lock{Lock{LockRank::Driver, "bench"}};
    PreemptGuard const here;
    repeat(worker, [&]() NO_THREAD_SAFETY_ANALYSIS {
        lock.it.lock(here);
        data.value = data.value + 1;
        lock.it.unlock();
    });
}
// With its guard.
template <class Lock, template <class> class Guard>
void run_guarded(Worker& worker) {
    static constinit Alone<Lock> lock{Lock{LockRank::Driver, "bench"}};
    repeat(worker, [] {
        Guard<Lock> const guard{lock.it};
        data.value = data.value + 1;
    });
}
void compete() { set_spin_waiters_compete(true); }
void queue() { set_spin_waiters_compete(false); }

template <class Lock>
void run_sleeping(Worker& worker) {
    static constinit Alone<Lock> lock;
    repeat(worker, []() NO_THREAD_SAFETY_ANALYSIS {
        lock.it.lock();
        data.value = data.value + 1;
        lock.it.unlock();
    });
}
void run_semaphore(Worker& worker) {
    static constinit Alone<sched::Semaphore> semaphore{sched::Semaphore{1}};
    repeat(worker, [] {
        semaphore.it.down();
        data.value = data.value + 1;
        (void)semaphore.it.up();
    });
}

void read_phase_fair(Worker& worker) {
    static constinit Alone<SpinRwLock> lock{SpinRwLock{LockRank::Driver, "bench"}};
    PreemptGuard const here;
    repeat(worker, [&]() NO_THREAD_SAFETY_ANALYSIS {
        lock.it.lock_shared(here);
        asm volatile("" ::"r"(data.value));
        lock.it.unlock_shared();
    });
}
void read_phase_fair_guarded(Worker& worker) {
    static constinit Alone<SpinRwLock> lock{SpinRwLock{LockRank::Driver, "bench"}};
    repeat(worker, [] {
        SpinReadGuard<SpinRwLock> const guard{lock.it};
        asm volatile("" ::"r"(data.value));
    });
}

constinit BigReaderLock* big_reader = nullptr;
void make_big_reader() {
    if (big_reader != nullptr) return;
    static Result<BigReaderLock> made = BigReaderLock::create(LockRank::Driver, "bench");
    CHECK(made);
    big_reader = &*made;
}
void read_scalable(Worker& worker) {
    PreemptGuard const here;
    repeat(worker, [&]() NO_THREAD_SAFETY_ANALYSIS {
        big_reader->lock_shared(here);
        asm volatile("" ::"r"(data.value));
        big_reader->unlock_shared();
    });
}
void read_scalable_guarded(Worker& worker) {
    repeat(worker, [] {
        SpinReadGuard<BigReaderLock> const guard{*big_reader};
        asm volatile("" ::"r"(data.value));
    });
}
void read_blocking(Worker& worker) {
    static constinit Alone<sched::RwLock> lock;
    repeat(worker, []() NO_THREAD_SAFETY_ANALYSIS {
        lock.it.lock_shared();
        asm volatile("" ::"r"(data.value));
        lock.it.unlock_shared();
    });
}

constexpr Contestant ours(char const* contest, char const* name, void (*run)(Worker&), void (*set_up)() = nullptr) {
    return {.contest = contest, .name = name, .side = Side::Ours, .run = run, .set_up = set_up, .check = check_sum};
}
constexpr Contestant reader(char const* contest, char const* name, void (*run)(Worker&), void (*set_up)() = nullptr) {
    return {.contest = contest, .name = name, .side = Side::Ours, .run = run, .set_up = set_up};
}

Entry entries[] = {
    Entry{ours("spin", "TasSpinLock", run_plain<TasSpinLock>)},
    Entry{ours("spin", "SpinLock", run_plain<SpinLock>)},
    Entry{ours("spin", "SpinGuard", run_guarded<SpinLock, SpinGuard>)},
    Entry{ours("spin", "SpinIrqGuard", run_guarded<SpinLock, SpinIrqGuard>)},
    Entry{ours("ticket", "TicketLock", run_plain<TicketLock>)},
    Entry{ours("queued", "QueuedSpinLock", run_plain<SpinLock>, queue)},
    Entry{ours("queued", "QueuedSpinLock, competing", run_plain<SpinLock>, compete)},
    Entry{ours("mutex", "Mutex", run_sleeping<sched::Mutex>)},
    Entry{ours("semaphore", "Semaphore", run_semaphore)},
    Entry{reader("read phase-fair", "SpinRwLock", read_phase_fair)},
    Entry{reader("read phase-fair", "SpinReadGuard<SpinRwLock>", read_phase_fair_guarded)},
    Entry{reader("read scalable", "BigReaderLock", read_scalable, make_big_reader)},
    Entry{reader("read scalable", "SpinReadGuard<BigReaderLock>", read_scalable_guarded, make_big_reader)},
    Entry{reader("read blocking", "RwLock", read_blocking)},
};

}  // namespace
}  // namespace tutti::bench
