// SPDX-License-Identifier: BSD-3-Clause
#include "sched/wait/blocking_lock_debug.hpp"

#include "sched/wait/condition_variable.hpp"
#include "sched/wait/crew_test.hpp"
#include "sched/wait/recursive_mutex.hpp"
#include "sched/wait/rw_lock.hpp"

namespace tutti::sched {
namespace {

void lock_shared(RwLock& what) NO_THREAD_SAFETY_ANALYSIS { what.lock_shared(); }
void unlock_shared(RwLock& what) NO_THREAD_SAFETY_ANALYSIS { what.unlock_shared(); }

template <class Outer, class Inner>
void nest(Outer& outer, Inner& inner) {
    lock(outer);
    lock(inner);
    unlock(inner);
    unlock(outer);
}

TEST_DEATH(blocking_lock_debug, learnt_inversion_over_three, "'inversion c' is held, and elsewhere the other way round") {
    static constinit Mutex a{"inversion a"};
    static constinit RecursiveMutex b{"inversion b"};
    static constinit Mutex c{"inversion c"};
    nest(a, b);
    nest(b, c);
    nest(c, a);
}
TEST_DEATH(blocking_lock_debug, learnt_inversion_of_places_in_the_source, "debug_test.cpp:32' taken while") {
    static constinit Mutex a;
    static constinit Mutex b;
    nest(a, b);
    nest(b, a);
}
TEST_DEATH(blocking_lock_debug, learnt_inversion_with_a_reader, "'reader inside' is held, and elsewhere") {
    static constinit Mutex outer{"mutex outside"};
    static constinit RwLock inner{"reader inside"};
    lock(outer);
    lock_shared(inner);
    unlock(outer);
    unlock_shared(inner);
    nest(inner, outer);
}
TEST_DEATH(blocking_lock_debug, learnt_inversion_of_timed_forms, "and elsewhere the other way round") {
    static constinit Mutex a{"timed a"};
    static constinit RwLock b{"timed b"};
    nest(a, b);
    lock(b);
    (void)a.lock_until(past(), WaitMode::Interruptible);
}
TEST_DEATH(blocking_lock_debug, held_at_the_end_of_its_thread, "'never released' held at its thread's end") {
    static constinit Mutex mutex{"never released"};
    lock(mutex);
    exit_current();
}
TEST_DEATH(blocking_lock_debug, held_on_return_to_user_mode, "'kept by a reader' held on return to user mode") {
    static constinit RwLock kept{"kept by a reader"};
    lock_shared(kept);
    check_no_locks_held("on return to user mode");
}

TEST(blocking_lock_debug, locks_of_one_class_may_nest) {
    Mutex a{"nests"};
    Mutex b{"nests"};
    nest(a, b);
    nest(b, a);
}
// What does not wait cannot deadlock.
TEST(blocking_lock_debug, try_lock_learns_no_order) {
    Mutex a{"tried a"};
    Mutex b{"tried b"};
    lock(a);
    EXPECT(try_lock(b));
    unlock(b);
    unlock(a);
    nest(b, a);
}
TEST(blocking_lock_debug, forgets_what_is_released_in_any_order) {
    Mutex a{"any order a"};
    RwLock b{"any order b"};
    RwLock c{"any order c"};
    for (u32 i = 0; i < 40; ++i) {
        lock(a);
        lock_shared(b);
        lock(c);
        unlock(a);
        [&]() NO_THREAD_SAFETY_ANALYSIS { c.downgrade(); }();
        unlock_shared(b);
        unlock_shared(c);
        check_no_locks_held("after every release");
    }
}
TEST_ALL_CPUS(blocking_lock_debug, forgets_what_was_not_had) {
    Mutex mutex{"not had"};
    RwLock rw_lock{"not had either"};
    ConditionVariable never;
    lock(mutex);
    {
        Crew crew{2, [&](u32) {
                      EXPECT(!mutex.lock_until(soon(), WaitMode::Uninterruptible));
                      EXPECT(!try_lock(mutex));
                      lock_shared(rw_lock);
                      EXPECT(!try_lock(rw_lock));
                      unlock_shared(rw_lock);
                      check_no_locks_held("after a wait that was given up");
                  }};
    }
    [&]() NO_THREAD_SAFETY_ANALYSIS { EXPECT(!never.wait(mutex, soon())); }();
    unlock(mutex);
    check_no_locks_held("after a wait for a condition");
}

}  // namespace
}  // namespace tutti::sched
