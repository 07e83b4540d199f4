// SPDX-License-Identifier: BSD-3-Clause
    .section .isrcheck, "", @progbits
    .quad interrupt_entry
    .asciz "entry"
    .asciz "every interrupt"

    .section .text.isr_safe.entry, "ax", @progbits
    .globl interrupt_entry
interrupt_entry:
    call handler
    iretq

    .text
    .globl _start
_start:
    call thread_main
1:  hlt
    jmp 1b
