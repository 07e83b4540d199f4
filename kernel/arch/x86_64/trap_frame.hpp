// SPDX-License-Identifier: BSD-3-Clause
// The registers of an interrupted context, as the entry code in trap_entry.S pushes them: the same layout for traps,
// interrupts and system calls, so that signal and debugging code see one format.
#pragma once

#include <cstddef>

#include "base/types.hpp"

namespace tutti::arch {

// Selectors, numbered as on Linux because programs can see them (%cs, %ss in signal frames).
inline constexpr u16 kKernelCodeSelector = 0x10;
inline constexpr u16 kKernelDataSelector = 0x18;
inline constexpr u16 kUserDataSelector = 0x2b;
inline constexpr u16 kUserCodeSelector = 0x33;
inline constexpr u16 kTssSelector = 0x40;
inline constexpr u16 kCpuNumberSelector = 0x7b;  // limit = CPU number, readable with LSL

inline constexpr u64 kSyscallVector = 256;  // not an interrupt vector: marks a frame made by SYSCALL
inline constexpr u64 kFullReturnVector = 257;  // such a frame whose registers must all be restored

struct TrapFrame {
    u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    u64 vector;
    u64 error_code;  // system call: its number
    u64 rip, cs, rflags, rsp, ss;

    [[nodiscard]] bool is_user() const { return (cs & 3) != 0; }
    [[nodiscard]] bool is_syscall() const { return vector == kSyscallVector; }
    // After a change to registers that SYSRET does not restore (rcx, r11): leave the kernel with IRET.
    void force_full_return() {
        if (is_syscall()) vector = kFullReturnVector;
    }
    [[nodiscard]] u64 syscall_number() const { return error_code; }
    [[nodiscard]] u64 syscall_argument(unsigned index) const {
        u64 const arguments[] = {rdi, rsi, rdx, r10, r8, r9};
        return arguments[index];
    }
    void set_return_value(u64 value) { rax = value; }
    [[nodiscard]] u64 return_value() const { return rax; }
    [[nodiscard]] VirtAddr instruction_pointer() const { return VirtAddr{rip}; }
    [[nodiscard]] VirtAddr stack_pointer() const { return VirtAddr{rsp}; }
    void set_stack_pointer(VirtAddr address) { rsp = address.value(); }

    // What a program starts with.
    [[nodiscard]] static TrapFrame of_program(VirtAddr entry, VirtAddr stack) {
        constexpr u64 kInterruptsOn = 0x202;  // with the reserved bit
        TrapFrame frame{};
        frame.rip = entry.value();
        frame.rsp = stack.value();
        frame.cs = kUserCodeSelector;
        frame.ss = kUserDataSelector;
        frame.rflags = kInterruptsOn;
        return frame;
    }
};
static_assert(sizeof(TrapFrame) == 22 * 8);
static_assert(offsetof(TrapFrame, vector) == 15 * 8);  // trap_entry.S depends on both

}  // namespace tutti::arch
