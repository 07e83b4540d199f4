// SPDX-License-Identifier: BSD-3-Clause
    .section .isrcheck, "", @progbits
    .quad interrupt_entry
    .asciz "entry"
    .asciz "every interrupt"

    .section .text.isr_safe.entry, "ax", @progbits
    .globl interrupt_entry
interrupt_entry:
    bl handler
    eret

    .text
    .globl _start
_start:
    bl thread_main
1:  wfi
    b 1b
