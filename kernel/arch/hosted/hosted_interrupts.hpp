// SPDX-License-Identifier: BSD-3-Clause
// Between interrupts.cpp, traps.cpp and the files of the processor's folder.
#pragma once

#include <signal.h>
#include <ucontext.h>

#include "arch/signal_context.hpp"
#include "arch/trap_frame.hpp"
#include "base/types.hpp"

namespace tutti::arch {

// interrupts.cpp
void set_thread_id(u32 id);
// Runs the handlers of what is posted on this CPU, and switches threads if that is wanted. Interrupts are on when it
// returns, perhaps on another CPU.
void take_interrupts(TrapFrame& frame);
// The same from user mode: interrupts stay off, and switching is the way back's business.
void take_interrupts_from_user(TrapFrame& frame);
// Until the next place where the portable layers' code may be interrupted.
void hold_nmi_back();

// What a signal interrupted.
enum class Origin : u8 {
    User,
    Kernel,
    Leaving,  // on the way back to user mode, which can begin anew
    Signal,   // a handler on this stack, which has not decided anything yet or will look again
};

// Where the handler that Linux has called goes on. Without a stack it returns to what the signal interrupted; then
// `continuation` says whether with the kernel's per-CPU base or the one it had.
struct Onward {
    void* stack = nullptr;
    void (*continuation)() = nullptr;
};
inline constexpr Onward kBack{};

// traps.cpp
// What the handler's mask kept back comes now; it finds us on the entry stack.
void unmask(ucontext_t const& context);
[[noreturn]] void die(TrapFrame const& frame, u64 address);
// Of a program, or of a copy function with interrupts on: blocks until the page is there.
bool resolve_page_fault(TrapFrame& frame, u64 address);

// The processor's folder: what the host has, and what each CPU needs of it after percpu_install().
void processor_init();
void processor_init_cpu();

// The same where programs run (kUserPrograms). Signals that come from a program, or from the way back to it.
[[nodiscard]] Origin program_origin(ucontext_t const& context);
Onward interrupt_of_program(ucontext_t& context, Origin origin);
Onward exception_of_program(ucontext_t const& context, Origin origin, Fault const& fault);
Onward system_call_of_program(ucontext_t& context, siginfo_t const& information);

}  // namespace tutti::arch
