// SPDX-License-Identifier: BSD-3-Clause
// The order in which spin locks may nest: a lock may be taken only while every spin lock held on this rung ranks lower.
// Add yours where it belongs; the list is the documentation. Debug builds check every acquisition.
#pragma once

#include "base/types.hpp"

namespace tutti::smp {

enum class LockRank : u8 {
    // linux_abi
    HostIdentity,
    FileContext,
    FutexBucket,
    SignalTimer,
    ThreadGroup,
    FdTable,
    // vfs, net
    Namespace,
    Directory,
    DirectoryParent,
    Socket,
    File,
    // drivers
    Driver,
    DriverQueue,
    InterruptController,
    // vm
    AddressSpace,
    PageCache,
    // poll and wake-up: the queue of a source, those of the epoll instances that watch it, directly or through others;
    // under each the ready list of the instance that is told
    WaitQueue,
    PollWaitQueue,
    PollReady,
    // sched
    MutexQueue,
    ThreadTable,
    TimerQueue,
    RunQueue,
    // mem: callable under all of the above
    PageTable,
    HeapClass,
    KernelMap,
    FrameBuddy,
    EntropyPool,  // random bytes are wanted anywhere
    VdsoData,
    // smp
    Log,
};

// The caller's reason why it may hold two locks of one rank.
enum class SameRank : u8 { OrderedByAddress, ParentBeforeChild, WatchedBeforeWatcher };

}  // namespace tutti::smp
