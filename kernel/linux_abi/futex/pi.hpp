// SPDX-License-Identifier: BSD-3-Clause
// Priority-ordered lock hand-over (FUTEX_LOCK_PI and its family): the word holds the owner's thread number, and the
// kernel passes the lock to the waiter of the highest priority.
//
// The owner is not boosted to its waiters' priority: hand-over is by priority, inheritance is not there
// (docs/linux-abi.md says so).
#pragma once

#include "base/result.hpp"
#include "linux_abi/futex/key.hpp"

namespace tutti::linux_abi {

class Task;

// Errors: Deadlock (the caller owns it), NoSuchProcess (the owner named in the word does not exist), TimedOut,
// Interrupted, BadAddress, InvalidArgument.
Result<> futex_lock_pi(Task& task, u64 address, FutexSharing sharing, Deadline deadline);
// Error::WouldBlock when another thread owns it.
Result<> futex_trylock_pi(Task& task, u64 address, FutexSharing sharing);
// Error::NotPermitted when the caller does not own it.
Result<> futex_unlock_pi(Task& task, u64 address, FutexSharing sharing);

// Gives every PI futex with waiters that the ending `task` owns, or owned until its robust list was walked, to its next
// waiter, marked FUTEX_OWNER_DIED. May block. A waiter whose word cannot be written gets Error::BadAddress.
void release_owned_pi_futexes(Task& task);

}  // namespace tutti::linux_abi
