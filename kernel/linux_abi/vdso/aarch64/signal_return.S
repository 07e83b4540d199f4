// SPDX-License-Identifier: BSD-3-Clause
// Where signal handlers return to. Unwinders and debuggers know it by these two instructions and take the registers from
// the signal frame; so there is no unwind information for it, nor for the instruction before it, where they look for the
// function that a return address belongs to.
    .text
    .balign 16
    nop
    .globl __kernel_rt_sigreturn
    .type __kernel_rt_sigreturn, %function
__kernel_rt_sigreturn:
    mov x8, #139
    svc #0
    .size __kernel_rt_sigreturn, . - __kernel_rt_sigreturn
    .section .note.GNU-stack, "", %progbits
