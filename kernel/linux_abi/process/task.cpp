// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/process/task.hpp"

#include <new>

#include "linux_abi/process/process.hpp"

namespace tutti::linux_abi {

Result<Ref<Task>> Task::create(Process& process, i32 tid) {
    auto* const task = new (std::nothrow) Task{process, tid};
    if (task == nullptr) return fail(Error::NoMemory);
    return Ref<Task>::adopt(task);
}

Task::~Task() = default;

void Task::note_interrupted_call(u64 number, Restart restart) {
    if (restart == Restart::Resume && restart_block.function == nullptr) restart = restart_block.otherwise;
    interrupted_call_ = {.valid = true, .restart = restart, .number = number};
    thread_->set_return_work();
}

ISR_SAFE Task* current_task_or_null() { return static_cast<Task*>(sched::current().owner()); }

ISR_SAFE Task& current_task() {
    Task* const task = current_task_or_null();
    ASSERT(task != nullptr, "a system call outside a program's thread");
    return *task;
}

}  // namespace tutti::linux_abi
