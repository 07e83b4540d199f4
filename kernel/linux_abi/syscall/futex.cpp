// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/syscall/futex.hpp"

#include "hal/clock.hpp"
#include "linux_abi/futex/futex.hpp"
#include "linux_abi/futex/pi.hpp"
#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/time/clock.hpp"

namespace tutti::linux_abi {

namespace {

// FUTEX_WAIT takes a relative time; the bitset and PI forms an absolute one.
Result<Deadline> read_deadline(UserPtr<Timespec> timeout, bool absolute, i32 clock) {
    if (timeout.is_null()) return kNever;
    Timespec const time = TRY(read_user(timeout));
    if (!is_valid(time)) return fail(Error::InvalidArgument);
    Nanoseconds const value = to_nanoseconds(time);
    return absolute ? deadline_on_clock(clock, value) : hal::now() + value;
}

SyscallResult resume_wait(Task& task, RestartBlock const& block) {
    auto const waited = futex_wait(task, block.arguments[0], static_cast<FutexSharing>(block.arguments[1]),
                                   static_cast<u32>(block.arguments[2]), static_cast<u32>(block.arguments[3]),
                                   block.deadline);
    return waited;
}

SyscallResult wait(Task& task, u64 address, FutexSharing sharing, u32 expected, u32 bitset, Deadline deadline) {
    auto const waited = futex_wait(task, address, sharing, expected, bitset, deadline);
    // Without a time limit there is nothing to resume: the call starts again as it is.
    if (!waited && waited.error() == Error::Interrupted && deadline != kNever)
        task.restart_block = {.function = resume_wait,
                              .deadline = deadline,
                              .arguments = {address, static_cast<u64>(sharing), expected, bitset}};
    return waited;
}

// Programs take EINTR for success. The deadline is absolute: the same call is the rest of it.
SyscallResult lock_pi(Task& task, u64 address, FutexSharing sharing, Deadline deadline) {
    task.restart_block.otherwise = Restart::EvenWithHandler;
    return futex_lock_pi(task, address, sharing, deadline);
}

}  // namespace

SyscallResult sys_futex(Task& task, u64 address, u32 operation, u32 value, u64 timeout_or_count, u64 second,
                        u32 value3) {
    u32 const command = operation & kFutexCommandMask;
    FutexSharing const sharing = (operation & kFutexPrivateFlag) != 0 ? FutexSharing::Private : FutexSharing::Shared;
    bool const realtime = (operation & kFutexClockRealtime) != 0;
    i32 const clock = realtime ? kClockRealtime : kClockMonotonic;
    UserPtr<Timespec> const timeout{timeout_or_count};
    u32 const count = static_cast<u32>(timeout_or_count);
    if (realtime && command != kFutexWait && command != kFutexWaitBitset && command != kFutexLockPi2 &&
        command != kFutexWaitRequeuePi)
        return kENOSYS;

    switch (command) {
        case kFutexWait:
            return wait(task, address, sharing, value, kFutexBitsetAny, TRY(read_deadline(timeout, false, clock)));
        case kFutexWaitBitset:
            return wait(task, address, sharing, value, value3, TRY(read_deadline(timeout, true, clock)));
        case kFutexWake: return futex_wake(task, address, sharing, value, kFutexBitsetAny);
        case kFutexWakeBitset: return futex_wake(task, address, sharing, value, value3);
        case kFutexRequeue:
            if (static_cast<i32>(value) < 0 || static_cast<i32>(count) < 0) return kEINVAL;
            return futex_requeue(task, address, second, sharing, value, count, nullptr);
        case kFutexCmpRequeue:
            if (static_cast<i32>(value) < 0 || static_cast<i32>(count) < 0) return kEINVAL;
            return futex_requeue(task, address, second, sharing, value, count, &value3);
        case kFutexWakeOp: return futex_wake_op(task, address, second, sharing, value, count, value3);
        case kFutexLockPi:
            return lock_pi(task, address, sharing, TRY(read_deadline(timeout, true, kClockRealtime)));
        case kFutexLockPi2: return lock_pi(task, address, sharing, TRY(read_deadline(timeout, true, clock)));
        case kFutexTrylockPi: return futex_trylock_pi(task, address, sharing);
        case kFutexUnlockPi: return futex_unlock_pi(task, address, sharing);
        default: return kENOSYS;  // FUTEX_FD (removed from Linux), FUTEX_WAIT_REQUEUE_PI and its partner
    }
}

SyscallResult sys_set_robust_list(Task& task, u64 head, u64 size) {
    if (size != sizeof(RobustListHead)) return kEINVAL;
    task.robust_list = head;
    return 0;
}

SyscallResult sys_get_robust_list(Task& task, i32 tid, UserPtr<u64> head, UserPtr<u64> size) {
    u64 list = task.robust_list;
    if (tid != 0 && tid != task.tid()) {
        Ref<Task> const other = task.process().threads().find(tid);
        if (!other) return kESRCH;
        list = other->robust_list;
    }
    TRY(write_user(size, sizeof(RobustListHead)));
    return write_user(head, list);
}

}  // namespace tutti::linux_abi
