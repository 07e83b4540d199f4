// SPDX-License-Identifier: BSD-3-Clause
// The clocks that programs name by number, over hal/clock.hpp and the scheduler's accounting.
#pragma once

#include "base/result.hpp"
#include "linux_abi/abi/time.hpp"
#include "vfs/wall_clock.hpp"

namespace tutti::linux_abi {

using vfs::wall_clock_offset;
// Sets CLOCK_REALTIME to the monotonic clock plus `offset`, for the kernel and for the vDSO. Any context.
void set_wall_clock_offset(Nanoseconds offset);

class Process;
class Task;

// Reads clock `clock` as `task` sees it. Error::InvalidArgument for a clock that does not exist.
[[nodiscard]] Result<Nanoseconds> read_clock(Task& task, i32 clock);

// Clocks that a thread can sleep on and timers can use, apart from CPU-time clocks.
[[nodiscard]] bool is_wall_or_monotonic(i32 clock);
[[nodiscard]] bool is_wall_clock(i32 clock);
// CPU-time clocks, by number or as made by clock_getcpuclockid and pthread_getcpuclockid.
[[nodiscard]] bool is_cpu_clock(i32 clock);

// The CPU-time clock of `task`'s thread, by any of its three names.
[[nodiscard]] bool is_own_thread_clock(Task const& task, i32 clock);

// The monotonic deadline of an absolute time on `clock` (a wall or monotonic clock).
[[nodiscard]] Deadline deadline_on_clock(i32 clock, Nanoseconds absolute);

// A dynamic CPU clock (a negative number) of `process`; 0 when it names nothing. Any context up to Isr.
[[nodiscard]] Nanoseconds cpu_clock_of(Process& process, i32 clock);

// CPU time of all threads of the process, those that ended included.
[[nodiscard]] Nanoseconds process_cpu_time(Process& process);

}  // namespace tutti::linux_abi
