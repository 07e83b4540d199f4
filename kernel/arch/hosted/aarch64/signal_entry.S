// SPDX-License-Identifier: BSD-3-Clause
// Between Linux and the C++ handlers, and the way back to interrupted kernel code (signal_context.cpp). A process cannot load
// all registers and jump but by rt_sigreturn, so a copy of the signal's frame waits on the kernel stack for it.

#define FRAME_X29 (29 * 8)              // arch/trap_frame.hpp
#define FRAME_ELR (32 * 8)
#define FRAME_SIGNAL 304                // behind the registers; signal_context.cpp
#define CONTEXT_REGISTERS 184           // of a ucontext_t
#define CONTEXT_PC 440
#define SIGNAL_CONTEXT 128
#define RT_SIGRETURN 139

    .text
    .balign 16
    .globl hosted_signal_entry
hosted_signal_entry:                    // w0 = signal, x1 = siginfo, x2 = ucontext, x30 = the restorer
    // A stack frame of the interrupted function, so that a chain of frame pointers shows it.
    ldr x9, [x2, #CONTEXT_REGISTERS + 29 * 8]
    ldr x10, [x2, #CONTEXT_PC]
    stp x9, x10, [sp, #-32]!
    str x30, [sp, #16]
    mov x29, sp
    bl hosted_signal                    // x0 = where to go on, or 0; x1 = the function
    cbnz x0, 1f
    ldr x30, [sp, #16]
    add sp, sp, #32
    ret
1:  mov sp, x0
    br x1

    .globl hosted_signal_restorer
hosted_signal_restorer:
    mov x8, #RT_SIGRETURN
    svc #0
    udf #0

    // Continuations on a kernel stack; x0 = sp = TrapFrame.
    .macro KERNEL_CONTINUATION name, function
    .globl \name
\name:
    mov x19, x0
    ldr x9, [x0, #FRAME_X29]            // as above, for backtraces
    ldr x10, [x0, #FRAME_ELR]
    stp x9, x10, [sp, #-16]!
    mov x29, sp
    bl \function                        // interrupts are on when it returns, perhaps on another CPU
    b back_to_kernel
    .endm
    KERNEL_CONTINUATION hosted_interrupted_kernel, hosted_take_interrupts_in
    KERNEL_CONTINUATION hosted_faulted_kernel, hosted_resolve_kernel_fault

back_to_kernel:                         // x19 = TrapFrame with the signal's frame behind it
    add sp, x19, #FRAME_SIGNAL
    // An interrupt in here begins it anew, on whichever CPU: until the last instruction the frame has that CPU's x18.
    .globl hosted_resume_window, hosted_resume_window_end
hosted_resume_window:
    str x18, [sp, #SIGNAL_CONTEXT + CONTEXT_REGISTERS + 18 * 8]
    mov x8, #RT_SIGRETURN
    svc #0
hosted_resume_window_end:
    udf #0

    .section .note.GNU-stack, "", @progbits
