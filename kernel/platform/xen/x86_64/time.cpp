// SPDX-License-Identifier: BSD-3-Clause
// Time as Xen states it. Only the TSC's frequency and the time of day are taken: the clock is the TSC.
#include "arch/cpu.hpp"
#include "platform/xen/shared_info.hpp"

namespace tutti::platform::xen {

u64 counter_frequency() {
    return shared_info() == nullptr ? 0 : pvclock_frequency(pvclock_read(&shared_info()->vcpus[0].time));
}

Nanoseconds wall_clock() {
    SharedInfo const volatile& shared = *shared_info();
    u32 version = 0;
    u64 seconds = 0;
    u32 nanoseconds = 0;
    do {
        version = shared.wall_clock_version;
        compiler_barrier();
        seconds = u64{shared.wall_clock_seconds_high} << 32 | shared.wall_clock_seconds;
        nanoseconds = shared.wall_clock_nanoseconds;
        compiler_barrier();
    } while ((version & 1) != 0 || version != shared.wall_clock_version);
    PvClockTime const time = pvclock_read(&shared_info()->vcpus[0].time);
    u64 const since = pvclock_nanoseconds(time, arch::read_tsc_ordered());
    return Nanoseconds::from_s(static_cast<i64>(seconds)) + Nanoseconds{static_cast<i64>(nanoseconds + since)};
}

}  // namespace tutti::platform::xen
