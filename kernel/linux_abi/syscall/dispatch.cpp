// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/syscall/dispatch.hpp"

#include <atomic>

#include "base/log.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/machine/signal_frame.hpp"
#include "linux_abi/syscall/syscall_names.hpp"
#include "smp/context/context.hpp"

namespace tutti::linux_abi {

namespace {

constinit std::atomic<u64> logged_calls[(kSyscallLimit + 63) / 64] = {};

// Each missing call is reported once, by name, so that a user can tell what a program lacks.
[[gnu::cold]] i64 unknown_syscall(u64 number) {
    std::string_view const name = syscall_name(number);
    if (number >= kSyscallLimit || name.empty()) {
        log_debug("system call {} does not exist: ENOSYS", number);
        return -kENOSYS;
    }
    u64 const bit = u64{1} << (number % 64);
    // Relaxed: the bit only limits the number of log lines.
    if ((logged_calls[number / 64].fetch_or(bit, std::memory_order_relaxed) & bit) == 0)
        log_warn("system call {} ({}) is not implemented: ENOSYS", name, number);
    return -kENOSYS;
}

}  // namespace

void handle_syscall(arch::TrapFrame& frame) {
    Task& task = current_task();
    u64 const number = frame.syscall_number();
    SyscallEntry const* const entry = syscall_entry(number);
    if (entry == nullptr || entry->handler == nullptr) [[unlikely]] {
        frame.set_return_value(static_cast<u64>(unknown_syscall(number)));
        return;
    }
    if (entry->restart == Restart::Resume && number != kRestartSyscallNumber) task.restart_block = {};
    i64 result = entry->handler(task, frame);
    if (result == -kEINTR) [[unlikely]] task.note_interrupted_call(number, entry->restart);
    // Not of a call that never restarts: what rt_sigreturn gives back is the program's own, and may be this.
    if (result == SyscallResult::kInterruptedForGood && entry->restart != Restart::Never) [[unlikely]] {
        result = -kEINTR;
        task.note_interrupted_call(number, Restart::Never);
    }
    frame.set_return_value(static_cast<u64>(result));
    smp::check_may_return_to_user();
}

}  // namespace tutti::linux_abi
