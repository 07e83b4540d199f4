// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/syscall/time.hpp"

#include "hal/clock.hpp"
#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/time/clock.hpp"
#include "sched/timers/sleep.hpp"

namespace tutti::linux_abi {

namespace {

// restart_syscall of an interrupted relative sleep: the deadline stays, `left` is written again when interrupted.
SyscallResult sleep_until_deadline(Task& task, Deadline deadline, UserPtr<Timespec> left, bool relative) {
    Result<> const slept = sched::sleep_until(deadline, sched::WaitMode::Interruptible);
    if (slept) return 0;
    if (!relative) {
        task.restart_block.otherwise = Restart::NoHandler;
        return kEINTR;
    }
    if (!write_user_if_wanted(left, to_timespec(deadline - hal::now()))) return kEFAULT;
    task.restart_block = {.function =
                              [](Task& self, RestartBlock const& block) {
                                  return sleep_until_deadline(self, block.deadline,
                                                              UserPtr<Timespec>{block.arguments[0]}, true);
                              },
                          .deadline = deadline,
                          .arguments = {left.address().value()}};
    return kEINTR;
}

SyscallResult sleep_on_cpu_clock(Task& task, i32 clock, i32 flags, Nanoseconds request) {
    if (is_own_thread_clock(task, clock)) return kEINVAL;  // a sleeping thread's clock stands still
    Nanoseconds target = request;
    Nanoseconds now = TRY(read_clock(task, clock));
    if ((flags & kTimerAbstime) == 0) target += now;
    // CPU time of a process with n threads runs at most n times as fast as the wall clock, so sleeping the missing
    // time over n never oversleeps.
    while (now < target) {
        i64 const threads = task.process().threads().count();
        i64 const wait = std::max<i64>((target - now).count() / threads, Nanoseconds::from_ms(1).count());
        Result<> const slept = sched::sleep_until(hal::now() + Nanoseconds{wait}, sched::WaitMode::Interruptible);
        if (!slept) {
            // A relative time would begin anew: rather the program decides.
            task.restart_block.otherwise = (flags & kTimerAbstime) != 0 ? Restart::NoHandler : Restart::Never;
            return kEINTR;
        }
        now = TRY(read_clock(task, clock));
    }
    return 0;
}

}  // namespace

SyscallResult sys_clock_gettime(Task& task, i32 clock, UserPtr<Timespec> time) {
    return write_user(time, to_timespec(TRY(read_clock(task, clock))));
}

SyscallResult sys_clock_getres(Task& task, i32 clock, UserPtr<Timespec> resolution) {
    TRY(read_clock(task, clock));
    // Coarse clocks are as fine as the others here; 4 ms is what programs expect them to say.
    bool const coarse = clock == kClockRealtimeCoarse || clock == kClockMonotonicCoarse;
    return write_user_if_wanted(resolution, Timespec{0, coarse ? 4'000'000 : 1});
}

SyscallResult sys_clock_settime(Task&, i32 clock, UserPtr<Timespec> time) {
    auto const value = read_user(time);
    if (clock != kClockRealtime) return kEINVAL;
    if (!value) return kEFAULT;
    if (!is_valid(*value)) return kEINVAL;
    set_wall_clock_offset(to_nanoseconds(*value) - hal::now());
    return 0;
}

SyscallResult sys_clock_nanosleep(Task& task, i32 clock, i32 flags, UserPtr<Timespec> request,
                                  UserPtr<Timespec> left) {
    if (!is_wall_or_monotonic(clock) && !is_cpu_clock(clock)) return kEINVAL;
    if (clock == kClockMonotonicRaw || clock == kClockMonotonicCoarse || clock == kClockRealtimeCoarse)
        return kEOPNOTSUPP;
    auto const value = TRY(read_user(request));
    if (!is_valid(value)) return kEINVAL;
    Nanoseconds const time = to_nanoseconds(value);
    if (is_cpu_clock(clock)) return sleep_on_cpu_clock(task, clock, flags, time);
    if ((flags & kTimerAbstime) != 0) return sleep_until_deadline(task, deadline_on_clock(clock, time), left, false);
    return sleep_until_deadline(task, hal::now() + time, left, true);
}

SyscallResult sys_nanosleep(Task& task, UserPtr<Timespec> request, UserPtr<Timespec> left) {
    return sys_clock_nanosleep(task, kClockMonotonic, 0, request, left);
}

SyscallResult sys_gettimeofday(Task&, UserPtr<Timeval> time, UserPtr<Timezone> zone) {
    TRY(write_user_if_wanted(time, to_timeval(hal::now() + wall_clock_offset())));
    return write_user_if_wanted(zone, Timezone{});
}

SyscallResult sys_settimeofday(Task&, UserPtr<Timeval> time, UserPtr<Timezone>) {
    if (time.is_null()) return 0;
    auto const value = TRY(read_user(time));
    if (!is_valid(value)) return kEINVAL;
    set_wall_clock_offset(to_nanoseconds(value) - hal::now());
    return 0;
}

SyscallResult sys_time(Task&, UserPtr<i64> time) {
    i64 const seconds = to_timespec(hal::now() + wall_clock_offset()).sec;
    TRY(write_user_if_wanted(time, seconds));
    return seconds;
}

SyscallResult sys_times(Task& task, UserPtr<Tms> times) {
    constexpr i64 kTick = kNanosecondsPerSecond / kUserHz;
    // User and system time are not told apart: all of it counts as user time.
    TRY(write_user_if_wanted(times, Tms{process_cpu_time(task.process()).count() / kTick, 0, 0, 0}));
    return hal::now().count() / kTick;
}

SyscallResult sys_getrusage(Task& task, i32 who, UserPtr<Rusage> usage) {
    Rusage result{};
    switch (who) {
        case kRusageSelf: result.user_time = to_timeval(process_cpu_time(task.process())); break;
        case kRusageThread: result.user_time = to_timeval(task.thread().cpu_time()); break;
        case kRusageChildren: return write_user(usage, result);
        default: return kEINVAL;
    }
    auto const memory = task.process().address_space().statistics();
    result.max_rss = static_cast<i64>(memory.peak_resident_pages * (kPageSize / 1024));
    result.minor_faults = static_cast<i64>(memory.minor_faults);
    result.major_faults = static_cast<i64>(memory.major_faults);
    return write_user(usage, result);
}

}  // namespace tutti::linux_abi
