// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/process/thread_group.hpp"

namespace tutti::linux_abi {

i32 ThreadGroup::allocate_tid() {
    smp::SpinIrqGuard guard{lock_};
    while (true) {
        i32 const tid = next_tid_;
        next_tid_ = tid == kMaxThreadId - 1 ? 2 : tid + 1;
        if (find_locked(tid) == nullptr) return tid;
    }
}

Result<> ThreadGroup::add(Task& task) {
    smp::SpinIrqGuard guard{lock_};
    if (ending) return fail(Error::Interrupted);
    tasks_.push_back(task);
    bucket(task.tid()).push_back(task);
    if (stopped) task.thread().set_return_work();
    // Relaxed: readers want a statistic; the list itself is read under lock_.
    count_.fetch_add(1, std::memory_order_relaxed);
    return {};
}

bool ThreadGroup::remove(Task& task) {
    smp::SpinIrqGuard guard{lock_};
    tasks_.remove(task);
    bucket(task.tid()).remove(task);
    ended_cpu_time += task.thread().cpu_time();
    task.pending.discard(SignalSet::all(), discarded);
    return count_.fetch_sub(1, std::memory_order_relaxed) == 1;
}

ISR_SAFE Task* ThreadGroup::find_locked(i32 tid) {
    for (Task& task : bucket(tid))
        if (task.tid() == tid) return &task;
    return nullptr;
}

ISR_SAFE Ref<Task> ThreadGroup::find(i32 tid) {
    smp::SpinIrqGuard guard{lock_};
    Task* const task = tid > 0 ? find_locked(tid) : nullptr;
    return task != nullptr ? Ref<Task>{*task} : Ref<Task>{};
}

bool ThreadGroup::contains(i32 tid) {
    smp::SpinIrqGuard guard{lock_};
    return tid > 0 && find_locked(tid) != nullptr;
}

i32 ThreadGroup::last_tid() {
    smp::SpinIrqGuard guard{lock_};
    return next_tid_ - 1;
}

i32 ThreadGroup::next_tid_from(i32 from) {
    smp::SpinIrqGuard guard{lock_};
    i32 best = 0;
    for (Task& task : tasks_)
        if (task.tid() >= from && (best == 0 || task.tid() < best)) best = task.tid();
    return best;
}

void ThreadGroup::release_discarded() {
    while (true) {
        QueuedSignal* entry = nullptr;
        {
            smp::SpinIrqGuard guard{lock_};
            if (discarded.empty()) return;
            entry = discarded.pop_front();
        }
        release_queued_signal(entry);
    }
}

}  // namespace tutti::linux_abi
