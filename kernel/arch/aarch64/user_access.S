// SPDX-License-Identifier: BSD-3-Clause
// See user_access.hpp. GUARDED first, last, fixup: a fault at an instruction in [first, last) continues at fixup.

.macro GUARDED first, last, fixup
    .pushsection .exception_table, "a"
    .quad \first, \last, \fixup
    .popsection
.endm

    .section .text.isr_safe.user_access, "ax", @progbits
    .balign 16
    .globl kernel_probe_raw
kernel_probe_raw:
    cbz x2, probe_done
probe_bytes:
    ldrb w3, [x1], #1
    strb w3, [x0], #1
    subs x2, x2, #1
    b.ne probe_bytes
probe_done:
    mov x0, x2
    ret
    GUARDED probe_bytes, probe_done, probe_done

    .globl semihosting_call
semihosting_call:
    hlt #0xf000
    ret
semihosting_missing:
    mov x0, #-1
    ret
    GUARDED semihosting_call, semihosting_call + 4, semihosting_missing

    .section .note.GNU-stack, "", @progbits
