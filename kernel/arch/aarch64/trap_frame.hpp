// SPDX-License-Identifier: BSD-3-Clause
// The registers of an interrupted context, as the entry code in trap_entry.S stores them: the same layout for exceptions,
// interrupts and system calls.
#pragma once

#include <cstddef>

#include "base/types.hpp"

namespace tutti::arch {

// Aligned as a stack pointer: returns pop it from where it lies.
struct alignas(16) TrapFrame {
    u64 x[31];
    u64 sp;    // of the interrupted context
    u64 elr;   // where it was
    u64 spsr;  // its processor state
    u64 esr;   // exceptions: what happened
    u64 far;   // address of a fault
    u64 kind;  // TrapKind
    u64 first_argument;  // system calls: x0 before the result took its place

    [[nodiscard]] bool is_user() const { return (spsr & 0xf) == 0; }
    [[nodiscard]] bool is_syscall() const { return is_user() && kind == 0 && esr >> 26 == 0x15; }  // SVC in 64-bit state
    void force_full_return() {}  // every return restores everything
    [[nodiscard]] u64 syscall_number() const { return x[8]; }
    [[nodiscard]] u64 syscall_argument(unsigned index) const { return x[index]; }
    void set_return_value(u64 value) {
        first_argument = x[0];
        x[0] = value;
    }
    [[nodiscard]] u64 return_value() const { return x[0]; }
    [[nodiscard]] VirtAddr instruction_pointer() const { return VirtAddr{elr}; }
    [[nodiscard]] VirtAddr stack_pointer() const { return VirtAddr{sp}; }
    void set_stack_pointer(VirtAddr address) { sp = address.value(); }
    [[nodiscard]] u64 frame_pointer() const { return x[29]; }

    // What a program starts with: EL0, nothing masked.
    [[nodiscard]] static TrapFrame of_program(VirtAddr entry, VirtAddr stack) {
        TrapFrame frame{};
        frame.elr = entry.value();
        frame.sp = stack.value();
        return frame;
    }
};
static_assert(sizeof(TrapFrame) == 304 && sizeof(TrapFrame) % 16 == 0);
static_assert(offsetof(TrapFrame, sp) == 248 && offsetof(TrapFrame, kind) == 288);  // trap_entry.S depends on these

}  // namespace tutti::arch
