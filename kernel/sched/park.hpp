// SPDX-License-Identifier: BSD-3-Clause
// Waiting for a condition that another thread, or an interrupt handler, makes true before it calls unpark().
//
//   waiter                                     waker
//     condition true? done                       make the condition true
//     no: park()  (state Running -> Parked)      unpark()  (exchange with Notified)
//     test again
//
// No wake-up is lost: both sides change the waiter's state by read-modify-writes. If the waker's comes first, the park
// finds Notified, which synchronises with the waker, and the next test sees the condition. If the waiter's comes first,
// the waker finds Parked and enqueues the waiter. docs/wakeup.md has the whole way.
#pragma once

#include "base/result.hpp"
#include "sched/current.hpp"
#include "sched/wait/wait_mode.hpp"

namespace tutti::sched {

// One round: gives up (TimedOut, Interrupted), or parks until the next notice. Thread context: panics on any other rung,
// in all builds.
[[nodiscard]] Result<> park_step(Thread& self, Deadline deadline, WaitMode mode) EXCLUDES(smp::wake_path);
// Ends a wait that called park_step(): nothing of it refers to the thread any more.
void end_wait(Thread& self, Deadline deadline);

// Returns when condition() is true. Errors: TimedOut when the deadline has passed first, Interrupted in the interruptible
// mode. The condition is tested in Thread context, without locks, any number of times; when it is true at the end, that
// counts, whatever else happened. Does not allocate.
template <class Condition>
[[nodiscard]] Result<> park_until(Condition&& condition, Deadline deadline = kNever,
                                  WaitMode mode = WaitMode::Uninterruptible) EXCLUDES(smp::wake_path) {
    if (condition()) return {};
    Thread& self = current();
    Result<> result{};
    do {
        result = park_step(self, deadline, mode);
        if (condition()) {
            result = {};
            break;
        }
    } while (result);
    end_wait(self, deadline);
    return result;
}

}  // namespace tutti::sched
