// SPDX-License-Identifier: BSD-3-Clause
// Time structures and constants of the Linux ABI (64-bit), and their conversions.
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti::linux_abi {

struct Timespec { i64 sec; i64 nsec; };
struct Timeval { i64 sec; i64 usec; };
struct Itimerval { Timeval interval; Timeval value; };
struct Itimerspec { Timespec interval; Timespec value; };
struct Timezone { i32 minutes_west; i32 dst_time; };
struct Tms { i64 utime; i64 stime; i64 cutime; i64 cstime; };

enum ClockId : i32 {
    kClockRealtime = 0,
    kClockMonotonic = 1,
    kClockProcessCpu = 2,
    kClockThreadCpu = 3,
    kClockMonotonicRaw = 4,
    kClockRealtimeCoarse = 5,
    kClockMonotonicCoarse = 6,
    kClockBoottime = 7,
    kClockRealtimeAlarm = 8,
    kClockBoottimeAlarm = 9,
    kClockTai = 11,
};

inline constexpr i32 kTimerAbstime = 1;
inline constexpr i64 kNanosecondsPerSecond = 1'000'000'000;
inline constexpr i64 kUserHz = 100;  // unit of times(2) and of /proc/*/stat

[[nodiscard]] constexpr bool is_valid(Timespec const& t) {
    return t.sec >= 0 && t.nsec >= 0 && t.nsec < kNanosecondsPerSecond;
}
[[nodiscard]] constexpr bool is_valid(Timeval const& t) { return t.sec >= 0 && t.usec >= 0 && t.usec < 1'000'000; }

// Saturate at Nanoseconds::max(). `t` is valid.
[[nodiscard]] constexpr Nanoseconds to_nanoseconds(Timespec const& t) {
    if (t.sec >= Nanoseconds::max().count() / kNanosecondsPerSecond) return Nanoseconds::max();
    return Nanoseconds{t.sec * kNanosecondsPerSecond + t.nsec};
}
[[nodiscard]] constexpr Nanoseconds to_nanoseconds(Timeval const& t) {
    return to_nanoseconds(Timespec{t.sec, t.usec * 1000});
}
[[nodiscard]] constexpr Timespec to_timespec(Nanoseconds t) {
    i64 const count = t.count() < 0 ? 0 : t.count();
    return {count / kNanosecondsPerSecond, count % kNanosecondsPerSecond};
}
[[nodiscard]] constexpr Timeval to_timeval(Nanoseconds t) {
    Timespec const spec = to_timespec(t);
    return {spec.sec, spec.nsec / 1000};
}

}  // namespace tutti::linux_abi
