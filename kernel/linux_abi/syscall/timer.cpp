// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/syscall/timer.hpp"

#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/time/clock.hpp"

namespace tutti::linux_abi {

namespace {

Itimerspec to_itimerspec(SignalTimer::Setting const& setting) {
    return {.interval = to_timespec(setting.interval), .value = to_timespec(setting.remaining)};
}
Itimerval to_itimerval(SignalTimer::Setting const& setting) {
    // Rounded up: an armed timer never reads as disarmed.
    Nanoseconds const remaining = setting.remaining + Nanoseconds{999};
    return {.interval = to_timeval(setting.interval), .value = to_timeval(remaining)};
}

}  // namespace

SyscallResult sys_timer_create(Task& task, i32 clock, UserPtr<SigEvent> event, UserPtr<i32> id) {
    TRY(read_clock(task, clock));
    SigInfo info;
    info.code = kSiTimer;
    info.signo = kSIGALRM;
    bool notify = true;
    i32 target = 0;
    auto const value = event.is_null() ? TimerValue::Number : TimerValue::Given;
    if (!event.is_null()) {
        SigEvent const wanted = TRY(read_user(event));
        switch (wanted.notify) {
            case kSigevNone: notify = false; break;
            case kSigevSignal:
            case kSigevThread: break;
            case kSigevThreadId:
                target = wanted.thread_id;
                if (!task.process().threads().contains(target)) return kEINVAL;
                break;
            default: return kEINVAL;
        }
        if (notify && !is_valid_signal(wanted.signo)) return kEINVAL;
        info.signo = wanted.signo;
        info.fields.timer.value = wanted.value;
    }
    // Named by its number: the timer looks at the clock from interrupt context.
    if (is_own_thread_clock(task, clock)) clock = ~task.tid() * 8 | (clock < 0 ? clock & 7 : 6);
    i32 const created = TRY(task.process().timers().create(clock, info, value, notify, target));
    Result<> const written = write_user(id, created);
    if (!written) (void)task.process().timers().destroy(created);
    return written;
}

SyscallResult sys_timer_settime(Task& task, i32 id, i32 flags, UserPtr<Itimerspec> value, UserPtr<Itimerspec> old) {
    if (value.is_null()) return kEINVAL;
    Itimerspec const wanted = TRY(read_user(value));
    if (!is_valid(wanted.value) || !is_valid(wanted.interval)) return kEINVAL;
    auto const start = (flags & kTimerAbstime) != 0 ? SignalTimer::Start::Absolute : SignalTimer::Start::Relative;
    auto const previous = TRY(task.process().timers().set(id, to_nanoseconds(wanted.value),
                                                          to_nanoseconds(wanted.interval), start));
    return write_user_if_wanted(old, to_itimerspec(previous));
}

SyscallResult sys_timer_gettime(Task& task, i32 id, UserPtr<Itimerspec> value) {
    return write_user(value, to_itimerspec(TRY(task.process().timers().get(id))));
}

SyscallResult sys_timer_getoverrun(Task& task, i32 id) { return task.process().timers().overrun(id); }
SyscallResult sys_timer_delete(Task& task, i32 id) { return task.process().timers().destroy(id); }

SyscallResult sys_setitimer(Task& task, i32 which, UserPtr<Itimerval> value, UserPtr<Itimerval> old) {
    if (which < 0 || which >= static_cast<i32>(kIntervalTimers)) return kEINVAL;
    Itimerval wanted{};
    if (!value.is_null()) wanted = TRY(read_user(value));
    if (!is_valid(wanted.value) || !is_valid(wanted.interval)) return kEINVAL;
    auto const previous =
        TRY(task.process().timers().set_interval(static_cast<IntervalTimer>(which), to_nanoseconds(wanted.value),
                                                 to_nanoseconds(wanted.interval)));
    return write_user_if_wanted(old, to_itimerval(previous));
}

SyscallResult sys_getitimer(Task& task, i32 which, UserPtr<Itimerval> value) {
    if (which < 0 || which >= static_cast<i32>(kIntervalTimers)) return kEINVAL;
    return write_user(value, to_itimerval(task.process().timers().get_interval(static_cast<IntervalTimer>(which))));
}

SyscallResult sys_alarm(Task& task, u32 seconds) {
    auto const previous =
        TRY(task.process().timers().set_interval(IntervalTimer::Real, Nanoseconds::from_s(seconds), {}));
    // Rounded up to a second, and never 0 for an armed timer.
    return (previous.remaining + Nanoseconds{kNanosecondsPerSecond - 1}).count() / kNanosecondsPerSecond;
}

}  // namespace tutti::linux_abi
