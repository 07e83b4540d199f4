// SPDX-License-Identifier: BSD-3-Clause
// From the trap frame to the handler and back. The table is made at compile time from kSyscallNames and the list of
// handlers in common_rows.hpp and machine/syscall_table.cpp.
#pragma once

#include <tuple>
#include <type_traits>
#include <utility>

#include "arch/trap_frame.hpp"
#include "linux_abi/syscall/result.hpp"
#include "linux_abi/user_memory.hpp"

namespace tutti::linux_abi {

class Task;

using SyscallHandler = i64 (*)(Task& task, arch::TrapFrame& frame);

struct SyscallEntry {
    SyscallHandler handler = nullptr;  // null: ENOSYS, logged once by name
    Restart restart = Restart::Never;
};

// The entry of call `number`; null when the number is beyond the table.
[[nodiscard]] SyscallEntry const* syscall_entry(u64 number);

// Registered with the trap code: runs the system call in `frame` for the current task and sets its result.
// Interrupts are on; may block.
void handle_syscall(arch::TrapFrame& frame);

namespace detail {

// A register's value as a handler's parameter: integers are truncated as the C ABI of the call says.
template <class T>
[[nodiscard]] ALWAYS_INLINE T syscall_argument(u64 value) {
    if constexpr (std::is_integral_v<T>)
        return static_cast<T>(value);
    else if constexpr (std::is_enum_v<T>)
        return static_cast<T>(static_cast<std::underlying_type_t<T>>(value));
    else
        return T{value};  // UserPtr<...>, VirtAddr
}

template <auto Function>
struct SyscallAdapter;

// SyscallResult sys_x(Task&, args...)
template <class... Args, SyscallResult (*Function)(Task&, Args...)>
    requires(!(std::is_same_v<Args, arch::TrapFrame&> || ...))
struct SyscallAdapter<Function> {
    static_assert(sizeof...(Args) <= 6);
    static i64 call(Task& task, arch::TrapFrame& frame) {
        return [&]<size_t... I>(std::index_sequence<I...>) {
            return Function(task, syscall_argument<Args>(frame.syscall_argument(I))...).value();
        }(std::index_sequence_for<Args...>{});
    }
};

// SyscallResult sys_x(Task&, TrapFrame&): calls that read or replace the program's registers.
template <SyscallResult (*Function)(Task&, arch::TrapFrame&)>
struct SyscallAdapter<Function> {
    static i64 call(Task& task, arch::TrapFrame& frame) { return Function(task, frame).value(); }
};

}  // namespace detail

}  // namespace tutti::linux_abi
