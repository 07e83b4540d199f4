// SPDX-License-Identifier: BSD-3-Clause
    .section .text.isr_safe.switch_stacks, "ax", @progbits
    .balign 16
    .globl switch_stacks
switch_stacks:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret

    .text
    // First instruction of a new thread: see prepare_stack().
    .globl thread_trampoline
thread_trampoline:
    .cfi_sections .debug_frame
    .cfi_startproc
    .cfi_undefined %rip                 // for debuggers: the stack ends here
    movq %r12, %rdi
    xorl %ebp, %ebp
    call *%rbx
    ud2
    .cfi_endproc

    .section .note.GNU-stack, "", @progbits
