// SPDX-License-Identifier: BSD-3-Clause
// The process's first instructions, and its threads', without a C library.

    .text
    .globl _start
_start:
    xorl %ebp, %ebp
    movq (%rsp), %rdi
    leaq 8(%rsp), %rsi
    andq $-16, %rsp
    call main
    ud2

    // i64 clone_to(flags, stack_top, entry, argument): the thread's number, or minus an error's.
    .globl clone_to
clone_to:
    subq $16, %rsi
    movq %rdx, (%rsi)
    movq %rcx, 8(%rsi)
    xorl %edx, %edx
    xorl %r10d, %r10d
    xorl %r8d, %r8d
    movl $56, %eax                      // clone
    syscall
    testq %rax, %rax
    jz 1f
    ret
1:  xorl %ebp, %ebp
    popq %rax
    popq %rdi
    call *%rax
    ud2

    .section .note.GNU-stack, "", @progbits
