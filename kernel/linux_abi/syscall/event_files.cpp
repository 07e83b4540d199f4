// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/syscall/event_files.hpp"

#include "linux_abi/signal/signal_file.hpp"
#include "linux_abi/syscall/file_support.hpp"
#include "vfs/events/event_file.hpp"
#include "vfs/events/timer_file.hpp"

namespace tutti::linux_abi {

namespace {

vfs::OpenFlags nonblock_of(u32 flags) {
    return vfs::OpenFlags{(flags & kONonBlock) != 0 ? u32{vfs::OpenFlags::NonBlock} : 0};
}

Itimerspec to_itimerspec(vfs::TimerSetting const& setting) {
    return {.interval = to_timespec(setting.interval), .value = to_timespec(setting.value)};
}

}  // namespace

SyscallResult sys_eventfd(Task& task, u32 initial) { return sys_eventfd2(task, initial, 0); }

SyscallResult sys_eventfd2(Task& task, u32 initial, u32 flags) {
    constexpr u32 kSemaphore = 1;
    if ((flags & ~(kSemaphore | kOCloexec | kONonBlock)) != 0) return kEINVAL;
    auto const mode = (flags & kSemaphore) != 0 ? vfs::EventMode::Semaphore : vfs::EventMode::Counter;
    return task.process().files().add(TRY(vfs::make_event_file(initial, mode, nonblock_of(flags))), fd_flag(flags));
}

SyscallResult sys_timerfd_create(Task& task, i32 clock, u32 flags) {
    if ((flags & ~(kOCloexec | kONonBlock)) != 0) return kEINVAL;
    vfs::TimerClock source = vfs::TimerClock::Monotonic;
    switch (clock) {
        case kClockRealtime:
        case kClockRealtimeAlarm: source = vfs::TimerClock::Realtime; break;
        case kClockMonotonic:
        case kClockBoottime:
        case kClockBoottimeAlarm: break;
        default: return kEINVAL;
    }
    auto const file = TRY(vfs::TimerFile::create(source, nonblock_of(flags)));
    return task.process().files().add(Ref<vfs::File>{*file}, fd_flag(flags));
}

SyscallResult sys_timerfd_settime(Task& task, i32 fd, u32 flags, UserPtr<Itimerspec> value, UserPtr<Itimerspec> old) {
    constexpr u32 kAbsolute = 1, kCancelOnSet = 2;
    Itimerspec const wanted = TRY(read_user(value));
    if ((flags & ~(kAbsolute | kCancelOnSet)) != 0 || !is_valid(wanted.value) || !is_valid(wanted.interval))
        return kEINVAL;
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    if (file->timer() == nullptr) return kEINVAL;
    auto const previous = file->timer()->set(
        {.value = to_nanoseconds(wanted.value), .interval = to_nanoseconds(wanted.interval)}, (flags & kAbsolute) != 0);
    return write_user_if_wanted(old, to_itimerspec(previous));
}

SyscallResult sys_timerfd_gettime(Task& task, i32 fd, UserPtr<Itimerspec> value) {
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    if (file->timer() == nullptr) return kEINVAL;
    return write_user(value, to_itimerspec(file->timer()->get()));
}

SyscallResult sys_signalfd(Task& task, i32 fd, UserPtr<SignalSet> mask, u64 size) {
    return sys_signalfd4(task, fd, mask, size, 0);
}

SyscallResult sys_signalfd4(Task& task, i32 fd, UserPtr<SignalSet> mask, u64 size, u32 flags) {
    if ((flags & ~(kOCloexec | kONonBlock)) != 0 || size != sizeof(SignalSet)) return kEINVAL;
    SignalSet const set = TRY(read_user(mask)) - kUnblockable;
    if (fd == -1)
        return task.process().files().add(TRY(make_signal_file(task.process(), set, nonblock_of(flags))),
                                          fd_flag(flags));
    TRY(change_signal_file(*TRY(file_of(task, fd)), set));
    return fd;
}

}  // namespace tutti::linux_abi
