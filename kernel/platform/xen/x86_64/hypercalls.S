// SPDX-License-Identifier: BSD-3-Clause
// Arguments are where C has them, but for the fourth. The page holds 32 bytes for each number; Xen writes its way of calling
// there when it is told where the page is (detect.cpp). Until then each answers -ENOSYS.

    .section .text.isr_safe.hypercalls, "ax", @progbits
    .balign 4096
    .globl xen_hypercall_page
xen_hypercall_page:
    .rept 4096 / 32
    movq $-38, %rax
    ret
    .balign 32, 0xcc
    .endr

.macro HYPERCALL name, number
    .balign 16
    .globl \name
\name:
    movq %rcx, %r10
    jmp xen_hypercall_page + 32 * \number
.endm

    HYPERCALL xen_memory_op, 12
    HYPERCALL xen_version, 17
    HYPERCALL xen_console_io, 18
    HYPERCALL xen_vcpu_op, 24
    HYPERCALL xen_sched_op, 29
    HYPERCALL xen_event_channel_op, 32
    HYPERCALL xen_hvm_op, 34

    .section .note.GNU-stack, "", @progbits
