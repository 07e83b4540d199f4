// SPDX-License-Identifier: BSD-3-Clause
// clone, futex, robust-list and scheduling constants and structures of the Linux ABI.
#pragma once

#include "base/types.hpp"

namespace tutti::linux_abi {

enum CloneFlag : u64 {
    kCloneVm = 0x100, kCloneFs = 0x200, kCloneFiles = 0x400, kCloneSighand = 0x800, kClonePidFd = 0x1000,
    kClonePtrace = 0x2000, kCloneVfork = 0x4000, kCloneParent = 0x8000, kCloneThread = 0x10000,
    kCloneNewNs = 0x20000, kCloneSysvSem = 0x40000, kCloneSetTls = 0x80000, kCloneParentSetTid = 0x100000,
    kCloneChildClearTid = 0x200000, kCloneDetached = 0x400000, kCloneUntraced = 0x800000,
    kCloneChildSetTid = 0x1000000, kCloneNewCgroup = 0x2000000, kCloneNewUts = 0x4000000,
    kCloneNewIpc = 0x8000000, kCloneNewUser = 0x10000000, kCloneNewPid = 0x20000000,
    kCloneNewNet = 0x40000000, kCloneIo = 0x80000000, kCloneClearSighand = 0x100000000,
    kCloneIntoCgroup = 0x200000000,
};

struct CloneArgs {
    u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};
inline constexpr u64 kCloneArgsSizeV0 = 64;

enum FutexOp : u32 {
    kFutexWait = 0, kFutexWake = 1, kFutexFd = 2, kFutexRequeue = 3, kFutexCmpRequeue = 4, kFutexWakeOp = 5,
    kFutexLockPi = 6, kFutexUnlockPi = 7, kFutexTrylockPi = 8, kFutexWaitBitset = 9, kFutexWakeBitset = 10,
    kFutexWaitRequeuePi = 11, kFutexCmpRequeuePi = 12, kFutexLockPi2 = 13,
    kFutexPrivateFlag = 128, kFutexClockRealtime = 256, kFutexCommandMask = 127,
};
inline constexpr u32 kFutexBitsetAny = 0xffff'ffff;
inline constexpr u32 kFutexWaiters = 0x8000'0000;
inline constexpr u32 kFutexOwnerDied = 0x4000'0000;
inline constexpr u32 kFutexTidMask = 0x3fff'ffff;

// struct robust_list_head, in the program's memory.
struct RobustListHead {
    u64 first;
    i64 futex_offset;
    u64 pending;
};
inline constexpr u64 kRobustListLimit = 2048;

enum SchedPolicy : i32 {
    kSchedOther = 0, kSchedFifo = 1, kSchedRr = 2, kSchedBatch = 3, kSchedIdle = 5, kSchedDeadline = 6,
    kSchedResetOnFork = 0x4000'0000,
};
struct SchedParam { i32 priority; };
struct SchedAttr {
    u32 size, policy;
    u64 flags;
    i32 nice;
    u32 priority;
    u64 runtime, deadline, period;
};
static_assert(sizeof(SchedAttr) == 48);

inline constexpr i32 kMaxThreadId = 4'194'304;  // pid_max on 64-bit Linux; fits the futex owner field

}  // namespace tutti::linux_abi
