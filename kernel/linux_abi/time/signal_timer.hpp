// SPDX-License-Identifier: BSD-3-Clause
// A timer that sends a signal: POSIX timers (timer_create) and interval timers (setitimer, alarm).
#pragma once

#include "linux_abi/abi/signal.hpp"
#include "linux_abi/abi/time.hpp"
#include "linux_abi/signal/pending.hpp"
#include "sched/timers/timer.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::linux_abi {

class Process;

class SignalTimer {
  public:
    // `clock` as clock_gettime numbers it. `notify` false: the timer only counts (SIGEV_NONE).
    SignalTimer(Process& process, i32 clock, SigInfo const& info, bool notify, i32 target_tid);
    SignalTimer(SignalTimer const&) = delete;
    SignalTimer& operator=(SignalTimer const&) = delete;
    ~SignalTimer();

    struct Setting {
        Nanoseconds remaining;  // 0: disarmed
        Nanoseconds interval;   // 0: once
    };
    // Arms for `first` on the timer's clock (absolute or from now), or disarms when `first` is 0. What it was before.
    // Thread context; may wait for a callback that runs on another CPU.
    enum class Start : u8 { Relative, Absolute };
    Setting set(Nanoseconds first, Nanoseconds interval, Start start);
    [[nodiscard]] Setting get();
    // Expirations beyond the first that the last delivered signal stood for.
    [[nodiscard]] i32 overrun();

  private:
    static void expired(void* self);
    void on_expiry();
    [[nodiscard]] Nanoseconds clock_now();
    [[nodiscard]] Setting setting_locked() REQUIRES(lock_);
    // The monotonic deadline at which it is worth looking at the clock again.
    [[nodiscard]] Deadline next_look() REQUIRES(lock_);

    Process& process_;
    i32 const clock_;
    bool const notify_;
    i32 const target_tid_;  // 0: the process
    smp::SpinLock lock_{smp::LockRank::SignalTimer, "signal timer"};  // taken with interrupts off
    Nanoseconds expiry_ GUARDED_BY(lock_);    // on clock_; 0: disarmed
    Nanoseconds interval_ GUARDED_BY(lock_);
    QueuedSignal signal_;                      // guarded by the thread-group lock once queued
    sched::Timer timer_;
};

}  // namespace tutti::linux_abi
