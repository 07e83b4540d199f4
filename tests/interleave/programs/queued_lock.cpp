// SPDX-License-Identifier: BSD-3-Clause
#include "smp/spin/queued_lock.hpp"

#include "programs/locks.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::interleave {

namespace {

// Goes to the queue at once: looking first would hide most of its schedules.
struct Queued {
    std::atomic<u32> word{0};

    void lock() {
        smp::preempt_disable();
        if (!smp::queued_lock::try_lock(word)) smp::queued_lock::lock_in_queue(word);
    }
    bool try_lock() {
        smp::preempt_disable();
        if (smp::queued_lock::try_lock(word)) return true;
        smp::preempt_enable_no_switch();
        return false;
    }
    void unlock() {
        smp::queued_lock::unlock(word);
        smp::preempt_enable_no_switch();
    }
};

struct LooksFirst : Queued {
    void lock() {
        smp::preempt_disable();
        if (!smp::queued_lock::try_lock(word)) smp::queued_lock::lock_slow(word);
    }
};

}  // namespace

INTERLEAVE(queued_lock_two, {.preemptions = 1}) {
    Queued lock;
    exclude_twice(lock, 2);
}
INTERLEAVE(queued_lock_three, {.preemptions = 2}) {
    Queued lock;
    exclude_three(lock);
}
// The holder queues again behind the others: the head has a successor that has one too.
INTERLEAVE(queued_lock_queue_of_three, {.samples = 30000}) {
    Queued lock;
    Guarded data;
    auto const work = [&] {
        for (int i = 0; i < 3; ++i) {
            lock.lock();
            data.change();
            lock.unlock();
        }
    };
    run_on_cpus(work, work, work);
    REQUIRE(data.value == 9);
}
INTERLEAVE(queued_lock_try, {.preemptions = 3}) {
    Queued lock;
    exclude_try(lock);
}
INTERLEAVE(queued_lock_looks_first, {.preemptions = 2}) {
    LooksFirst lock;
    exclude_three(lock);
}
INTERLEAVE(queued_lock_competing, {.preemptions = 3}) {
    smp::set_spin_waiters_compete(true);
    LooksFirst lock;
    exclude_twice(lock, 2);
}

// An interrupt handler waits for a lock while the code that it interrupted waits for another: two nodes of one CPU.
namespace {
Queued* g_outer;
Queued* g_inner;
Guarded* g_inner_data;
void take_inner() {
    g_inner->lock();
    g_inner_data->change();
    g_inner->unlock();
}
}  // namespace
INTERLEAVE(queued_lock_two_rungs, {.preemptions = 2}) {
    Queued outer, inner;
    Guarded outer_data, inner_data;
    g_outer = &outer;
    g_inner = &inner;
    g_inner_data = &inner_data;
    raise_interrupt(0, take_inner);
    auto const one = [&] {
        outer.lock();
        outer_data.change();
        outer.unlock();
    };
    auto const two = [&] {
        outer.lock();
        outer_data.change();
        outer.unlock();
        arch::IrqState const before = arch::disable_interrupts();
        take_inner();
        arch::restore_interrupts(before);
    };
    run_on_cpus(one, two);
    REQUIRE(outer_data.value == 2 && inner_data.value == 2);
}

// Two locks, one inside the other: an AB-BA order is a deadlock that the checker must see (here it is AB-AB).
INTERLEAVE(queued_lock_nested, {.preemptions = 2}) {
    Queued outer, inner;
    Guarded data;
    auto const work = [&] {
        outer.lock();
        inner.lock();
        data.change();
        inner.unlock();
        outer.unlock();
    };
    run_on_cpus(work, work);
    REQUIRE(data.value == 2);
}

}  // namespace tutti::interleave
