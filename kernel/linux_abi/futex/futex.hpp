// SPDX-License-Identifier: BSD-3-Clause
// The futex operations (futex(2)), on addresses of the calling task's program.
#pragma once

#include "base/result.hpp"
#include "linux_abi/futex/key.hpp"

namespace tutti::linux_abi {

class Task;

// Sleeps while the word at `address` is `expected`, until a wake whose bits meet `bitset`. Errors: WouldBlock (the
// word differs), TimedOut, Interrupted, BadAddress, InvalidArgument (bitset 0, unaligned).
Result<> futex_wait(Task& task, u64 address, FutexSharing sharing, u32 expected, u32 bitset, Deadline deadline);

// Wakes up to `count` waiters whose bitset meets `bitset`; how many it woke.
Result<u32> futex_wake(Task& task, u64 address, FutexSharing sharing, u32 count, u32 bitset);

// Wakes `wake` waiters of `from` and moves up to `requeue` more to `to`; fails with WouldBlock when `expected` is
// given and the word at `from` differs. How many it woke, plus how many it moved when `expected` is given.
Result<u32> futex_requeue(Task& task, u64 from, u64 to, FutexSharing sharing, u32 wake, u32 requeue,
                          u32 const* expected);

// Changes the word at `second` as `operation` says (futex(2), FUTEX_WAKE_OP), wakes waiters of `first`, and of
// `second` if the old value meets the comparison.
Result<u32> futex_wake_op(Task& task, u64 first, u64 second, FutexSharing sharing, u32 wake, u32 wake_second,
                          u32 operation);

}  // namespace tutti::linux_abi
