// SPDX-License-Identifier: BSD-3-Clause
// The process's first instructions, and its threads', without a C library. x18 is 0 until a thread is a CPU.

    .text
    .globl _start
_start:
    mov x29, xzr
    mov x30, xzr
    mov x18, xzr
    ldr x0, [sp]
    add x1, sp, #8
    bl main
    udf #0

    // i64 clone_to(flags, stack_top, entry, argument): the thread's number, or minus an error's.
    .globl clone_to
clone_to:
    stp x2, x3, [x1, #-16]!
    mov x2, xzr
    mov x3, xzr
    mov x4, xzr
    mov x8, #220                        // clone
    svc #0
    cbz x0, 1f
    ret
1:  mov x29, xzr
    mov x30, xzr
    mov x18, xzr
    ldp x1, x0, [sp], #16
    blr x1
    udf #0

    .section .note.GNU-stack, "", @progbits
