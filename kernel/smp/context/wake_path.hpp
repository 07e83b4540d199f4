// SPDX-License-Identifier: BSD-3-Clause
// The wake-up path as a property of the types: it takes only spinning locks, cannot fault and cannot block.
//
//   smp::WakePath const path;      this scope wakes: rung NoPreempt, capability `wake_path` held
//   thread.unpark();               REQUIRES(wake_path)
//   mutex.lock();                  EXCLUDES(wake_path): does not compile here
//
// Functions that wake REQUIRE the capability; functions that may block, fetch a page of user memory or wait for other
// CPUs EXCLUDE it (-Wthread-safety -Werror; the test types.wake_path shows what is refused). The compiler looks at one
// function at a time. What an unmarked function in between calls is found by tools/isrcheck, and by debug builds: the
// scope forbids preemption, and every blocking function asserts that nobody does.
//
// A wake-up that happens in several steps (choose under a lock, wake without it) is one scope: a waker is not switched
// out with half of its work done.
#pragma once

#include "smp/context/context.hpp"

namespace tutti::smp {

class SCOPED_CAPABILITY WakePath : public NoPreempt {
  public:
    WakePath() ACQUIRE(wake_path) { preempt_disable(); }
    WakePath(WakePath const&) = delete;
    WakePath& operator=(WakePath const&) = delete;
    // May switch threads when it is the outermost guard and a reschedule is wanted.
    ~WakePath() RELEASE() { preempt_enable(); }
};

}  // namespace tutti::smp
