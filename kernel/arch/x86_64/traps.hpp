// SPDX-License-Identifier: BSD-3-Clause
// Descriptor tables, interrupt vectors and the words that the entry code shares with C++.
#pragma once

#include "arch/percpu.hpp"
#include "arch/trap_frame.hpp"
#include "base/types.hpp"

// Shared with trap_entry.S, hence the C names. All are per-CPU.
extern "C" {
extern tutti::u64 kernel_stack_top;    // stack that SYSCALL switches to: the current thread's
extern tutti::u64 user_stack_scratch;  // the program's stack pointer during the first instructions of SYSCALL
extern tutti::u32 exit_work;           // non-zero: call hal::hooks.exit_to_user before returning to user mode
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
inline constexpr unsigned kFirstInterruptVector = 32;

// Builds the IDT shared by all CPUs and patches SMAP instructions; once, on the boot CPU, text still writable.
void traps_init();
// Loads GDT, TSS, IDT, SYSCALL registers and control bits of this CPU, after percpu_install().
// NMI, double fault and machine check have stacks of their own.
struct ExceptionStacks {
    static constexpr size_t kSize = 8192;
    void* tops[3];
};
void traps_init_cpu(u32 cpu_number, ExceptionStacks const& stacks);

// Sets where interrupts from user mode and SYSCALL start pushing: the top of the next thread's kernel stack.
void set_kernel_stack(void* top);

using SyscallHandler = void (*)(TrapFrame&);
void set_syscall_handler(SyscallHandler handler);

// Enters user mode with the registers in `frame`, which the caller has placed at the top of the current kernel stack.
// Interrupts off.
extern "C" [[noreturn]] void enter_user_frame(TrapFrame* frame);

// The exception that this CPU is dying of, while it panics; else null.
extern TrapFrame const* fatal_frame_of_cpu;
[[nodiscard]] inline TrapFrame const* fatal_frame() { return percpu_load(fatal_frame_of_cpu); }

// The program's thread pointer and GS base. The current values live in MSRs; set ones take effect at once.
[[nodiscard]] inline u64 user_fs_base() { return read_msr(kMsrFsBase); }
inline void set_user_fs_base(u64 base) { write_msr(kMsrFsBase, base); }
[[nodiscard]] inline u64 user_gs_base() { return read_msr(kMsrKernelGsBase); }
inline void set_user_gs_base(u64 base) { write_msr(kMsrKernelGsBase, base); }

// What belongs to a program's thread beside TrapFrame and floating-point state. Programs cannot change the bases
// themselves, so the registers need not be read back.
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
