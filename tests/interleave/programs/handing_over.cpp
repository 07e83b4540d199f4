// SPDX-License-Identifier: BSD-3-Clause
// Primitives that hand over to those that wait: reader-writer lock, barrier, once; semaphores and events whose waiters
// give up, or are destroyed by whom they let go.
#include <optional>

#include "engine/interleave.hpp"
#include "machine/threads.hpp"
#include "sched/wait/barrier.hpp"
#include "sched/wait/event.hpp"
#include "sched/wait/once.hpp"
#include "sched/wait/rw_lock.hpp"
#include "sched/wait/semaphore.hpp"

namespace tutti::interleave {

namespace {
constexpr Deadline kSoon{1000};
}

INTERLEAVE(rw_lock_writers, {.preemptions = 1, .spins_expire = true}) {
    start_threads(2);
    sched::RwLock lock;
    int value = 0;
    auto const work = [&] {
        sched::WriteGuard guard{lock};
        ++value;
    };
    run_on_cpus(work, work);
    REQUIRE(value == 2);
}
INTERLEAVE(rw_lock_reader_and_writer, {.preemptions = 1, .spins_expire = true}) {
    start_threads(2);
    sched::RwLock lock;
    int first = 0;
    int second = 0;
    auto const writer = [&] {
        sched::WriteGuard guard{lock};
        ++first;
        ++second;
    };
    auto const reader = [&] {
        sched::ReadGuard guard{lock};
        REQUIRE(first == second);
    };
    run_on_cpus(writer, reader);
}
INTERLEAVE(rw_lock_two_readers_and_a_writer, {.preemptions = 1, .spins_expire = true}) {
    start_threads(3);
    sched::RwLock lock;
    int value = 0;
    auto const reader = [&] {
        sched::ReadGuard guard{lock};
        REQUIRE(value == 0 || value == 1);
    };
    auto const writer = [&] {
        sched::WriteGuard guard{lock};
        ++value;
    };
    run_on_cpus(reader, reader, writer);
}
// Two read when the writer comes: the last of them hands what both have read on to it.
INTERLEAVE(rw_lock_last_reader, {.preemptions = 0, .spins_expire = true}) {
    start_threads(3);
    sched::RwLock lock;
    int value = 0;
    auto const reader = [&] {
        sched::ReadGuard guard{lock};
        wake(2);
        sleep();
        REQUIRE(value == 0);
    };
    auto const writer = [&] {
        for (unsigned i = 0; i < 2; ++i) sleep();
        for (unsigned i = 0; i < 2; ++i) wake(i);
        sched::WriteGuard guard{lock};
        ++value;
    };
    run_on_cpus(reader, reader, writer);
}
INTERLEAVE(rw_lock_downgrade, {.preemptions = 1, .spins_expire = true}) {
    start_threads(2);
    sched::RwLock lock;
    int value = 0;
    auto const both = [&] {
        sched::WriteGuard guard{lock};
        int const written = ++value;
        guard.downgrade();
        REQUIRE(value == written);
    };
    auto const reader = [&] {
        sched::ReadGuard guard{lock};
        REQUIRE(value == 0 || value == 1);
    };
    run_on_cpus(both, reader);
}
INTERLEAVE(rw_lock_writer_gives_up, {.preemptions = 0, .spins_expire = true}) {
    start_threads(3);
    sched::RwLock lock;
    int value = 0;
    auto const reader = [&] {
        sched::ReadGuard guard{lock};
        REQUIRE(value == 0 || value == 1);
    };
    auto const hasty = [&]() NO_THREAD_SAFETY_ANALYSIS {
        if (!lock.lock_until(kSoon, sched::WaitMode::Uninterruptible)) return;
        ++value;
        lock.unlock();
    };
    run_on_cpus(reader, hasty, reader);
    REQUIRE(lock.try_lock());
    lock.unlock();
}

INTERLEAVE(semaphore_deadline, {.preemptions = 1}) {
    start_threads(2);
    sched::Semaphore semaphore{0};
    bool got = false;
    auto const hasty = [&] { got = semaphore.down_until(kSoon, sched::WaitMode::Uninterruptible).has_value(); };
    auto const producer = [&] { REQUIRE(semaphore.up().has_value()); };
    run_on_cpus(hasty, producer);
    REQUIRE(semaphore.count() == (got ? 0u : 1u));
}
INTERLEAVE(semaphore_deadline_beside_a_patient_waiter, {.preemptions = 0}) {
    start_threads(3);
    sched::Semaphore semaphore{0};
    bool got = false;
    auto const hasty = [&] { got = semaphore.down_until(kSoon, sched::WaitMode::Uninterruptible).has_value(); };
    auto const patient = [&] { semaphore.down(); };
    auto const producer = [&] {
        (void)semaphore.up();
        (void)semaphore.up();
    };
    run_on_cpus(hasty, patient, producer);
    REQUIRE(semaphore.count() == (got ? 0u : 1u));
}
// Who only looks sees what came before set().
INTERLEAVE(event_is_set_publishes, {.preemptions = 2}) {
    start_threads(2);
    sched::Event event;
    int data = 0;
    auto const setter = [&] {
        data = 1;
        event.set();
    };
    auto const looker = [&] {
        if (event.is_set()) REQUIRE(data == 1);
    };
    run_on_cpus(setter, looker);
}
// The waiter destroys the event while set() may still be on its way.
INTERLEAVE(event_destroyed_by_its_waiter, {.preemptions = 2}) {
    start_threads(2);
    std::optional<sched::Event> event{std::in_place};
    auto* const shared = &*event;
    auto const waiter = [&] {
        REQUIRE(event->wait().has_value());
        event.reset();
    };
    auto const setter = [&] { shared->set(); };
    run_on_cpus(waiter, setter);
}

INTERLEAVE(barrier_two_rounds, {.preemptions = 1}) {
    start_threads(2);
    sched::Barrier barrier{2};
    int first = 0;
    int second = 0;
    auto const one = [&] {
        first = 1;
        barrier.arrive_and_wait();
        REQUIRE(second == 1);
        barrier.arrive_and_wait();
        second = 2;
    };
    auto const other = [&] {
        second = 1;
        barrier.arrive_and_wait();
        REQUIRE(first == 1);
        barrier.arrive_and_wait();
        first = 2;
    };
    run_on_cpus(one, other);
}

INTERLEAVE(once_two, {.preemptions = 2}) {
    start_threads(2);
    sched::Once once;
    int done = 0;
    auto const work = [&] {
        once.call([&] { ++done; });
        REQUIRE(done == 1);
    };
    run_on_cpus(work, work);
}
INTERLEAVE(once_that_fails_first, {.preemptions = 1}) {
    start_threads(2);
    sched::Once once;
    int tries = 0;
    auto const work = [&] {
        (void)once.call_until([&]() -> Result<> {
            if (++tries == 1) return fail(Error::NoMemory);
            return {};
        }, kNever, sched::WaitMode::Uninterruptible);
    };
    run_on_cpus(work, work);
    REQUIRE(tries == 2 && once.is_done());
}

}  // namespace tutti::interleave
