// SPDX-License-Identifier: BSD-3-Clause
// Arguments and result are where C has them; the number goes to x16. Where Xen is not there the instruction is undefined,
// or KVM answers it with an error.

    .section .text.isr_safe.hypercalls, "ax", @progbits

.macro HYPERCALL name, number
    .balign 16
    .globl \name
\name:
    mov x16, #\number
771:
    hvc #0xea1
    ret
    .pushsection .exception_table, "a"
    .quad 771b, 771b + 4, missing
    .popsection
.endm

    HYPERCALL xen_memory_op, 12
    HYPERCALL xen_version, 17
    HYPERCALL xen_console_io, 18
    HYPERCALL xen_vcpu_op, 24
    HYPERCALL xen_sched_op, 29
    HYPERCALL xen_event_channel_op, 32
    HYPERCALL xen_hvm_op, 34

missing:
    mov x0, #-38                        // ENOSYS
    ret

    .section .note.GNU-stack, "", @progbits
