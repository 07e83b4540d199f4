// SPDX-License-Identifier: BSD-3-Clause
    .section .text.isr_safe.switch_stacks, "ax", @progbits
    .balign 16
    .globl switch_stacks
switch_stacks:
    // TLB and cache maintenance that this thread has begun ends before it can go on elsewhere: a barrier completes only
    // that of the CPU which executes it.
    dsb ish
    stp x29, x30, [sp, #-96]!
    stp x19, x20, [sp, #16]
    stp x21, x22, [sp, #32]
    stp x23, x24, [sp, #48]
    stp x25, x26, [sp, #64]
    stp x27, x28, [sp, #80]
    mov x2, sp
    str x2, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #16]
    ldp x21, x22, [sp, #32]
    ldp x23, x24, [sp, #48]
    ldp x25, x26, [sp, #64]
    ldp x27, x28, [sp, #80]
    ldp x29, x30, [sp], #96
    ret

    .text
    // First instruction of a new thread: see prepare_stack().
    .balign 16
    .globl thread_trampoline
thread_trampoline:
    .cfi_sections .debug_frame
    .cfi_startproc
    .cfi_undefined x30                  // for debuggers: the stack ends here
    mov x0, x20
    mov x29, xzr
    mov x30, xzr
    blr x19
    udf #0
    .cfi_endproc

    .section .note.GNU-stack, "", @progbits
