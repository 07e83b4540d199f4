// SPDX-License-Identifier: BSD-3-Clause
// Between Linux and the C++ handlers, and the way back to programs and to interrupted kernel code (traps.hpp).

#define UCONTEXT_RIP 168
#define ENTRY_STACK_SIZE 65536          // and its alignment; traps.cpp
#define FRAME_RBP (4 * 8)               // arch/trap_frame.hpp
#define FRAME_RIP (17 * 8)
#define FRAME_CS (18 * 8)
#define FRAME_SS (21 * 8)
#define FRAME_FPU 192                   // of frames of kernel code: behind the registers; signal_context.cpp
#define USER_CS 0x33
#define USER_DS 0x2b
#define FPU_COMPONENTS 0xe7             // arch/x86_64/fpu_area.hpp

.macro POP_REGISTERS
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rax
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
    addq $16, %rsp                      // vector, error code
.endm

    .text
    .balign 16
    .globl hosted_signal_entry
hosted_signal_entry:                    // %edi = signal, %rsi = siginfo, %rdx = ucontext; 0(%rsp) = the restorer
    .cfi_startproc
    pushq $2                            // flags of a program (AC, NT) are not for the kernel's code
    popfq
    cmpb $0, hosted_has_fsgsbase(%rip)
    je 1f
    rdgsbaseq %rbx
    movq %rsp, %rax
    andq $-ENTRY_STACK_SIZE, %rax       // the first word of the entry stack is its CPU's GS base
    movq (%rax), %rax
    wrgsbaseq %rax
    // A stack frame of the interrupted function, so that a chain of frame pointers shows it: Linux calls the handler with
    // the interrupted %rbp, but nothing on the stack points to the interrupted %rip.
1:  pushq UCONTEXT_RIP(%rdx)
    .cfi_adjust_cfa_offset 8
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_offset %rbp, -24
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    subq $8, %rsp
    call hosted_signal                  // %rax = where to go on, or 0; %rdx = the function, or whether to keep GS
    testq %rax, %rax
    jnz 3f
    cmpb $0, hosted_has_fsgsbase(%rip)
    je 2f
    testq %rdx, %rdx
    jnz 2f
    wrgsbaseq %rbx
2:  addq $8, %rsp
    popq %rbp
    .cfi_def_cfa %rsp, 16
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    ret
    .cfi_endproc
3:  movq %rax, %rsp
    movq %rax, %rdi
    jmp *%rdx

    .globl hosted_signal_restorer
hosted_signal_restorer:
    movl $15, %eax                      // rt_sigreturn
    syscall
    ud2

    // Continuations on a kernel stack; %rdi = %rsp = TrapFrame.
    .globl hosted_from_user
hosted_from_user:
    xorl %ebp, %ebp
    movq %rdi, %rbx
    call hosted_enter_kernel            // interrupts are off when it returns
    movq %rbx, %rdi

    .globl enter_user_frame
enter_user_frame:
    movq %rdi, %rsp
    // Here again when an interrupt came before the program had its registers back.
    .globl hosted_leave
hosted_leave:                           // %rsp = TrapFrame; interrupts off
    movq %rsp, %rbx
    movq %rsp, %rdi
    andq $-16, %rsp
    xorl %ebp, %ebp
    call hosted_before_user             // nothing is posted and nothing is to be done, for now
    movq %rbx, %rsp
    movq %rbx, %gs:hosted_leaving_frame(%rip) // not before the call: it may switch, and other threads leave meanwhile
    .globl hosted_leave_window, hosted_leave_window_end
hosted_leave_window:                    // a signal in here begins anew
    movl $1, %gs:hosted_in_user(%rip)
    cmpl $0, %gs:hosted_posted_interrupts(%rip)
    jne hosted_not_yet
    cmpl $0, %gs:exit_work(%rip)
    jne hosted_not_yet
    movq %gs:hosted_user_fpu(%rip), %rcx
    movl $FPU_COMPONENTS, %eax
    xorl %edx, %edx
    xrstor64 (%rcx)
    cmpb $0, hosted_has_fsgsbase(%rip)
    je 1f
    movq %gs:hosted_user_gs(%rip), %rax
    wrgsbaseq %rax
1:  POP_REGISTERS
    iretq
hosted_not_yet:
    movl $0, %gs:hosted_in_user(%rip)
hosted_leave_window_end:
    jmp hosted_leave

    .macro KERNEL_CONTINUATION name, function
    .globl \name
\name:
    movq %rdi, %rbx
    pushq FRAME_RIP(%rdi)               // a stack frame of the interrupted function, for backtraces
    pushq FRAME_RBP(%rdi)
    movq %rsp, %rbp
    call \function                      // interrupts are on when it returns, perhaps on another CPU
    jmp back_to_kernel
    .endm
    KERNEL_CONTINUATION hosted_interrupted_kernel, hosted_take_interrupts_in
    KERNEL_CONTINUATION hosted_faulted_kernel, hosted_resolve_kernel_fault

back_to_kernel:                         // %rbx = TrapFrame with the floating-point registers behind it
    movl $FPU_COMPONENTS, %eax
    xorl %edx, %edx
    xrstor64 FRAME_FPU(%rbx)
    movq $USER_CS, FRAME_CS(%rbx)
    movq $USER_DS, FRAME_SS(%rbx)
    movq %rbx, %rsp
    POP_REGISTERS
    iretq

    .section .note.GNU-stack, "", @progbits
