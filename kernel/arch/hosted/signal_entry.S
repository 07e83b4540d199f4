// SPDX-License-Identifier: BSD-3-Clause
// Between Linux and the C++ handlers. Makes a stack frame of the interrupted function, so that a chain of frame pointers
// shows it: Linux calls the handler with the interrupted %rbp, but nothing on the stack points to the interrupted %rip.

#define UCONTEXT_RIP 168

    .text
    .balign 16
    .globl hosted_signal_entry
hosted_signal_entry:                    // %edi = signal, %rsi = siginfo, %rdx = ucontext; 0(%rsp) = the restorer
    .cfi_startproc
    pushq UCONTEXT_RIP(%rdx)
    .cfi_adjust_cfa_offset 8
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_offset %rbp, -24
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    subq $8, %rsp
    call hosted_signal
    addq $8, %rsp
    popq %rbp
    .cfi_def_cfa %rsp, 16
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    ret
    .cfi_endproc

    .globl hosted_signal_restorer
hosted_signal_restorer:
    movl $15, %eax                      // rt_sigreturn
    syscall
    ud2

    .section .note.GNU-stack, "", @progbits
