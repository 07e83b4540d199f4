// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/process/process.hpp"

#include <new>

#include "linux_abi/process/task.hpp"

namespace tutti::linux_abi {

Process::Process(i32 pid, Ref<vm::AddressSpace> address_space)
    : pid_{pid}, address_space_{std::move(address_space)}, files_{limits_}, threads_{pid}, timers_{*this} {}

Process::~Process() = default;

Result<Ref<Process>> Process::create(i32 pid, Ref<vm::AddressSpace> address_space) {
    auto* const process = new (std::nothrow) Process{pid, std::move(address_space)};
    if (process == nullptr) return fail(Error::NoMemory);
    return Ref<Process>::adopt(process);
}

void Process::begin_exit(ExitStatus status) {
    smp::SpinIrqGuard guard{threads_.lock()};
    if (threads_.ending) return;
    threads_.ending = true;
    exit_status_ = status;
    exiting_.store(true, std::memory_order_release);  // pairs with is_exiting(): the status is there
    threads_.stopped = false;
    threads_.stop_queue.wake_all();
    threads_.for_each_locked([](Task& task) {
        task.thread().set_return_work();
        task.thread().interrupt();
    });
}

void Process::set_leader_status(ExitStatus status) {
    smp::SpinIrqGuard guard{threads_.lock()};
    if (!threads_.ending) exit_status_ = status;
}

}  // namespace tutti::linux_abi
