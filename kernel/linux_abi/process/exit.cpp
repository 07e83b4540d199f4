// SPDX-License-Identifier: BSD-3-Clause
// The end of threads and of the process.
#include <atomic>

#include "linux_abi/futex/futex.hpp"
#include "linux_abi/futex/pi.hpp"
#include "linux_abi/futex/robust.hpp"
#include "linux_abi/process/finish.hpp"
#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/user_memory.hpp"

namespace tutti::linux_abi {

namespace {

// pthread_join waits on this word (set_tid_address(2)).
void clear_child_tid(Task& task) {
    if (task.clear_child_tid == 0) return;
    if (!write_user(UserPtr<i32>{task.clear_child_tid}, 0)) return;
    (void)futex_wake(task, task.clear_child_tid, FutexSharing::Shared, 1, kFutexBitsetAny);
}

// A process signal that was meant for this thread must not wait for another event to be seen.
void pass_on_signals(Task& task) {
    ThreadGroup& group = task.process().threads();
    smp::SpinIrqGuard guard{group.lock()};
    task.exiting = true;
    if (group.pending.set().empty()) return;
    group.for_each_locked([](Task& other) {
        if (other.exiting) return;
        other.thread().set_return_work();
        other.thread().interrupt();
    });
}

}  // namespace

void exit_task(Task& task, i32 code) {
    Process& process = task.process();
    if (task.tid() == process.pid()) process.set_leader_status({.code = code, .signal = 0});
    pass_on_signals(task);
    // A process that ends as a whole leaves nobody who could look at its locks.
    if (!process.is_exiting()) {
        release_robust_futexes(task);
        clear_child_tid(task);
    }
    bool const last = process.threads().remove(task);
    release_owned_pi_futexes(task);
    process.threads().release_discarded();
    if (last) finish_process(process);

    // From here the thread is a kernel thread: the switch hooks find no task.
    {
        smp::PreemptGuard guard;
        task.thread().set_owner(nullptr);
    }
    Ref<Task>::adopt(&task).reset();
    sched::exit_current();
}

}  // namespace tutti::linux_abi
