// SPDX-License-Identifier: BSD-3-Clause
// Exceptions of this processor, and what belongs to a program's thread beside TrapFrame and floating-point state.
#pragma once

#include "arch/percpu.hpp"
#include "arch/trap_frame.hpp"
#include "base/types.hpp"

extern "C" {
extern tutti::u64 hosted_user_gs;  // per-CPU: the program's GS base
extern bool hosted_has_fsgsbase;   // the host lets us write FS and GS bases; constant
}

namespace tutti::arch {

inline constexpr unsigned kVectorDivide = 0;
inline constexpr unsigned kVectorDebug = 1;
inline constexpr unsigned kVectorNmi = 2;
inline constexpr unsigned kVectorBreakpoint = 3;
inline constexpr unsigned kVectorOverflow = 4;
inline constexpr unsigned kVectorBound = 5;
inline constexpr unsigned kVectorInvalidOpcode = 6;
inline constexpr unsigned kVectorDoubleFault = 8;
inline constexpr unsigned kVectorStackSegment = 12;
inline constexpr unsigned kVectorGeneralProtection = 13;
inline constexpr unsigned kVectorPageFault = 14;
inline constexpr unsigned kVectorX87 = 16;
inline constexpr unsigned kVectorAlignment = 17;
inline constexpr unsigned kVectorMachineCheck = 18;
inline constexpr unsigned kVectorSimd = 19;

using SyscallHandler = void (*)(TrapFrame&);
void set_syscall_handler(SyscallHandler handler);

// Enters user mode with the registers in `frame`, which lies on the current kernel stack. Interrupts off.
extern "C" [[noreturn]] void enter_user_frame(TrapFrame* frame);

// The program's thread pointer and GS base. FS is the program's while its thread runs, in the kernel too. Without
// hosted_has_fsgsbase the GS base is always the kernel's.
void set_user_fs_base(u64 base);
inline void set_user_gs_base(u64 base) { percpu_store(hosted_user_gs, base); }

// As in the kernel. What a program sets by instructions of its own (WRFSBASE, where the host has it) is lost at a switch.
struct UserRegisters {
    u64 fs_base = 0;  // the thread pointer
    u64 gs_base = 0;

    ALWAYS_INLINE void save() {}
    ALWAYS_INLINE void load() const {
        set_user_fs_base(fs_base);
        set_user_gs_base(gs_base);
    }
    void set_thread_pointer(u64 value) { fs_base = value; }  // takes effect with load()
};

}  // namespace tutti::arch
