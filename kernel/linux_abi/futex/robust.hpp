// SPDX-License-Identifier: BSD-3-Clause
// Robust futexes: what happens to the locks that a thread still holds when it ends (linux/Documentation/
// locking/robust-futexes.rst).
#pragma once

namespace tutti::linux_abi {

class Task;

// Walks the ending thread's robust list: marks each lock FUTEX_OWNER_DIED and wakes one waiter. The list is the
// program's memory: damaged or endless lists end the walk, nothing else.
void release_robust_futexes(Task& task);

}  // namespace tutti::linux_abi
