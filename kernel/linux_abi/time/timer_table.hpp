// SPDX-License-Identifier: BSD-3-Clause
// The timers of a process: three interval timers and any number of POSIX timers.
#pragma once

#include <memory>

#include "base/vector.hpp"
#include "linux_abi/time/signal_timer.hpp"
#include "sched/wait/mutex.hpp"

namespace tutti::linux_abi {

// What a timer's signal carries: what the program gave, or the timer's number (timer_create without an event).
enum class TimerValue : u8 { Given, Number };

enum class IntervalTimer : u8 { Real, Virtual, Profile };
inline constexpr size_t kIntervalTimers = 3;

class TimerTable {
  public:
    explicit TimerTable(Process& process) : process_{process} {}
    ~TimerTable();

    // All functions: Thread context, may block.

    // Error::NoMemory; Error::WouldBlock when there are too many.
    Result<i32> create(i32 clock, SigInfo const& info, TimerValue value, bool notify, i32 target_tid);
    // Error::InvalidArgument when there is no such timer.
    Result<> destroy(i32 id);
    Result<SignalTimer::Setting> set(i32 id, Nanoseconds first, Nanoseconds interval, SignalTimer::Start start);
    Result<SignalTimer::Setting> get(i32 id);
    Result<i32> overrun(i32 id);

    // Creates the interval timer at its first use.
    Result<SignalTimer::Setting> set_interval(IntervalTimer which, Nanoseconds first, Nanoseconds interval);
    [[nodiscard]] SignalTimer::Setting get_interval(IntervalTimer which);

    // The process has ended: no timer fires any more.
    void destroy_all();

  private:
    Result<SignalTimer*> find(i32 id) REQUIRES(mutex_);

    Process& process_;
    sched::Mutex mutex_{"timer table"};
    Vector<SignalTimer*> timers_ GUARDED_BY(mutex_);  // index: id; null: free
    SignalTimer* intervals_[kIntervalTimers] GUARDED_BY(mutex_) = {};
};

}  // namespace tutti::linux_abi
