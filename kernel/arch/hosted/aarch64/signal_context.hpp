// SPDX-License-Identifier: BSD-3-Clause
// What Linux says of an interrupted context, in the kernel's words.
#pragma once

#include <signal.h>
#include <ucontext.h>

#include "arch/aarch64/syndrome.hpp"
#include "arch/host_tlb.hpp"
#include "arch/trap_frame.hpp"
#include "base/types.hpp"

namespace tutti::arch {

[[nodiscard]] inline u64 stack_pointer(ucontext_t const& context) { return context.uc_mcontext.sp; }
[[nodiscard]] inline u64 instruction_pointer(ucontext_t const& context) { return context.uc_mcontext.pc; }
inline void set_instruction_pointer(ucontext_t& context, u64 address) { context.uc_mcontext.pc = address; }

// The exception behind a signal.
struct Fault {
    bool is_page_fault = false;
    bool present = false;  // there is a translation, which allows less
    HostAccess access = HostAccess::Read;
    u64 address = 0;  // of a page fault; else of the instruction
    ExceptionClass kind = ExceptionClass::Unknown;
};
[[nodiscard]] Fault fault_of(int signal, siginfo_t const& information, ucontext_t const& context);

[[nodiscard]] TrapFrame frame_of(ucontext_t const& context, bool user);
// Kernel code that has called a C function, by what that finds out.
[[nodiscard]] TrapFrame frame_of_caller(void* return_address, void* frame_address);
// Puts the exception into the frame of its context.
void record_fault(TrapFrame& frame, Fault const& fault);

// A frame of interrupted kernel code on its own stack, from which hosted_interrupted_kernel and hosted_faulted_kernel let it
// go on.
[[nodiscard]] TrapFrame* push_kernel_frame(ucontext_t const& context, Fault const& fault);
[[nodiscard]] inline u64 kernel_fault_address(TrapFrame const& frame) { return frame.far; }
void go_on_at(TrapFrame& frame, u64 address);

}  // namespace tutti::arch
