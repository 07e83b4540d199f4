// SPDX-License-Identifier: BSD-3-Clause
// Sleeping until a time.
#pragma once

#include "hal/clock.hpp"
#include "sched/park.hpp"

namespace tutti::sched {

// Returns normally when the deadline has passed. Error::Interrupted in the interruptible mode. Thread context.
inline Result<> sleep_until(Deadline deadline, WaitMode mode = WaitMode::Uninterruptible) EXCLUDES(smp::wake_path) {
    Result<> const parked = park_until([] { return false; }, deadline, mode);
    if (!parked && parked.error() == Error::Interrupted) return fail(Error::Interrupted);
    return {};
}
inline Result<> sleep_for(Nanoseconds duration, WaitMode mode = WaitMode::Uninterruptible) EXCLUDES(smp::wake_path) {
    return sleep_until(hal::now() + duration, mode);
}

}  // namespace tutti::sched
