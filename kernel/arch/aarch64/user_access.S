// SPDX-License-Identifier: BSD-3-Clause
// See user_access.hpp. GUARDED first, last, fixup: a fault at an instruction in [first, last) continues at fixup.
//
// Programs' memory is read and written with the instructions that have the program's own rights (LDTR, STTR), so that
// privileged access to it may stay forbidden (PAN). Only exclusives have no such form: PAN is off around them.

.macro GUARDED first, last, fixup
    .pushsection .exception_table, "a"
    .quad \first, \last, \fixup
    .popsection
.endm
// Leaves x9 alone if the CPU has no PAN (the instruction is undefined there).
.macro SET_PAN value
    adrp x9, aarch64_has_pan
    ldrb w9, [x9, :lo12:aarch64_has_pan]
    cbz w9, 771f
    .inst 0xd500409f | \value << 8      // msr pan, #value
771:
.endm

    .section .text.isr_safe.user_access, "ax", @progbits
    // 32 bytes a round, then bytes. A fault in the rounds goes on bytewise from the start of the round, so that every
    // accessible byte is copied, as partial reads and writes promise; a fault in the bytes ends the copy. x2 counts what is
    // left.
    .balign 16
    .globl user_copy_raw
user_copy_raw:
    tbnz x1, #63, copy_to_user
    cmp x2, #32
    b.lo 1f
copy_from_rounds:
    ldtr x3, [x1]
    ldtr x4, [x1, #8]
    ldtr x5, [x1, #16]
    ldtr x6, [x1, #24]
    stp x3, x4, [x0]
    stp x5, x6, [x0, #16]
    add x1, x1, #32
    add x0, x0, #32
    sub x2, x2, #32
    cmp x2, #32
    b.hs copy_from_rounds
1:  cbz x2, copy_done
copy_from_bytes:
    ldtrb w3, [x1]
    strb w3, [x0]
    add x1, x1, #1
    add x0, x0, #1
    subs x2, x2, #1
    b.ne copy_from_bytes
copy_done:
    mov x0, x2
    ret
copy_to_user:
    cmp x2, #32
    b.lo 1f
copy_to_rounds:
    ldp x3, x4, [x1]
    ldp x5, x6, [x1, #16]
    sttr x3, [x0]
    sttr x4, [x0, #8]
    sttr x5, [x0, #16]
    sttr x6, [x0, #24]
    add x1, x1, #32
    add x0, x0, #32
    sub x2, x2, #32
    cmp x2, #32
    b.hs copy_to_rounds
1:  cbz x2, copy_done
copy_to_bytes:
    ldrb w3, [x1]
    sttrb w3, [x0]
    add x1, x1, #1
    add x0, x0, #1
    subs x2, x2, #1
    b.ne copy_to_bytes
    b copy_done
copy_end:
    GUARDED copy_from_rounds, copy_from_bytes, copy_from_bytes
    GUARDED copy_from_bytes, copy_done, copy_done
    GUARDED copy_to_rounds, copy_to_bytes, copy_to_bytes
    GUARDED copy_to_bytes, copy_end, copy_done

    .balign 16
    .globl user_zero_raw
user_zero_raw:
    cmp x1, #8
    b.lo 1f
zero_words:
    sttr xzr, [x0]
    add x0, x0, #8
    sub x1, x1, #8
    cmp x1, #8
    b.hs zero_words
1:  cbz x1, zero_done
zero_bytes:
    sttrb wzr, [x0]
    add x0, x0, #1
    subs x1, x1, #1
    b.ne zero_bytes
zero_done:
    mov x0, x1
    ret
    GUARDED zero_words, zero_bytes, zero_bytes
    GUARDED zero_bytes, zero_done, zero_done

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

    .balign 16
    .globl user_load32_raw
user_load32_raw:
load32:
    ldtr w2, [x0]
    GUARDED load32, load32 + 4, user_access_failed
    str w2, [x1]
    mov x0, #0
    ret

    .globl user_store32_raw
user_store32_raw:
store32:
    sttr w1, [x0]
    GUARDED store32, store32 + 4, user_access_failed
    mov x0, #0
    ret

    // The address lies in the user half or is refused: here the access has the kernel's rights.
    .globl user_compare_exchange32_raw
user_compare_exchange32_raw:
    lsr x4, x0, #48
    cbnz x4, user_access_failed
    SET_PAN 0
exchange32:
    ldaxr w4, [x0]
    cmp w4, w1
    b.ne exchange32_differs
    stlxr w5, w2, [x0]
    cbnz w5, exchange32
exchange32_done:
    GUARDED exchange32, exchange32_done, exchange32_failed
    SET_PAN 1
    str w4, [x3]
    dmb ish                             // sequentially consistent with plain accesses behind it
    mov x0, #0
    ret
exchange32_differs:
    clrex
    b exchange32_done
exchange32_failed:
    SET_PAN 1
user_access_failed:
    mov x0, #1
    ret

    .balign 16
    .globl semihosting_call
semihosting_call:
    hlt #0xf000
    ret
semihosting_missing:
    mov x0, #-1
    ret
    GUARDED semihosting_call, semihosting_call + 4, semihosting_missing

    .section .note.GNU-stack, "", @progbits
