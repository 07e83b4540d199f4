// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/time/clock.hpp"

#include "hal/clock.hpp"
#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/vdso/vdso.hpp"

namespace tutti::linux_abi {

namespace {

// Dynamic CPU clocks: ~pid in the upper bits, then a thread bit and the kind (2: run time).
struct DynamicClock {
    i32 id;
    bool thread;
    u32 kind;
};
DynamicClock decode_dynamic(i32 clock) {
    return {.id = ~(clock >> 3), .thread = (clock & 4) != 0, .kind = static_cast<u32>(clock) & 3};
}

bool names_cpu_clock(Process& process, i32 clock) {
    DynamicClock const dynamic = decode_dynamic(clock);
    if (dynamic.kind == 3) return false;  // a clock device's descriptor
    if (dynamic.id == 0) return true;
    return dynamic.thread ? process.threads().contains(dynamic.id) : dynamic.id == process.pid();
}

}  // namespace

ISR_SAFE bool is_wall_clock(i32 clock) {
    return clock == kClockRealtime || clock == kClockRealtimeCoarse || clock == kClockRealtimeAlarm ||
           clock == kClockTai;
}
bool is_wall_or_monotonic(i32 clock) {
    return is_wall_clock(clock) || clock == kClockMonotonic || clock == kClockMonotonicRaw ||
           clock == kClockMonotonicCoarse || clock == kClockBoottime || clock == kClockBoottimeAlarm;
}
ISR_SAFE bool is_cpu_clock(i32 clock) { return clock == kClockProcessCpu || clock == kClockThreadCpu || clock < 0; }

bool is_own_thread_clock(Task const& task, i32 clock) {
    if (clock >= 0) return clock == kClockThreadCpu;
    DynamicClock const dynamic = decode_dynamic(clock);
    return dynamic.thread && (dynamic.id == 0 || dynamic.id == task.tid());
}

Result<Nanoseconds> read_clock(Task& task, i32 clock) {
    if (is_wall_clock(clock)) return hal::now() + wall_clock_offset();
    if (is_wall_or_monotonic(clock)) return hal::now();
    if (clock == kClockProcessCpu) return process_cpu_time(task.process());
    if (clock == kClockThreadCpu) return task.thread().cpu_time();
    if (clock < 0) return names_cpu_clock(task.process(), clock) ? Result<Nanoseconds>{cpu_clock_of(task.process(), clock)}
                                                               : fail(Error::InvalidArgument);
    return fail(Error::InvalidArgument);
}

ISR_SAFE Deadline deadline_on_clock(i32 clock, Nanoseconds absolute) {
    if (absolute == Nanoseconds::max()) return kNever;
    return is_wall_clock(clock) ? absolute - wall_clock_offset() : absolute;
}

ISR_SAFE Nanoseconds cpu_clock_of(Process& process, i32 clock) {
    DynamicClock const dynamic = decode_dynamic(clock);
    if (!dynamic.thread) return process_cpu_time(process);
    if (dynamic.id == 0) return current_task().thread().cpu_time();
    smp::SpinIrqGuard guard{process.threads().lock()};
    Task* const task = process.threads().find_locked(dynamic.id);
    return task == nullptr ? Nanoseconds{} : task->thread().cpu_time();
}

void set_wall_clock_offset(Nanoseconds offset) { vdso::set_wall_offset(offset); }

ISR_SAFE Nanoseconds process_cpu_time(Process& process) {
    ThreadGroup& group = process.threads();
    smp::SpinIrqGuard guard{group.lock()};
    Nanoseconds total = group.ended_cpu_time;
    group.for_each_locked([&](Task& task) { total += task.thread().cpu_time(); });
    return total;
}

}  // namespace tutti::linux_abi
