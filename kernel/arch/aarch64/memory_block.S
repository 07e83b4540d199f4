// SPDX-License-Identifier: BSD-3-Clause
// memcpy and memset with general registers: 64 bytes a round, then words, then bytes. The other memory functions are
// portable: base/memory_functions.cpp.

    .section .text.isr_safe.memory_block, "ax", @progbits
    .balign 16
    .globl memcpy
memcpy:
    mov x3, x0
    cmp x2, #64
    b.lo 2f
1:  ldp x4, x5, [x1]
    ldp x6, x7, [x1, #16]
    ldp x8, x9, [x1, #32]
    ldp x10, x11, [x1, #48]
    add x1, x1, #64
    stp x4, x5, [x3]
    stp x6, x7, [x3, #16]
    stp x8, x9, [x3, #32]
    stp x10, x11, [x3, #48]
    add x3, x3, #64
    sub x2, x2, #64
    cmp x2, #64
    b.hs 1b
2:  cmp x2, #8
    b.lo 4f
3:  ldr x4, [x1], #8
    str x4, [x3], #8
    sub x2, x2, #8
    cmp x2, #8
    b.hs 3b
4:  cbz x2, 6f
5:  ldrb w4, [x1], #1
    strb w4, [x3], #1
    subs x2, x2, #1
    b.ne 5b
6:  ret

    .balign 16
    .globl memset
memset:
    mov x3, x0
    and x1, x1, #0xff
    mov x4, #0x0101010101010101
    mul x1, x1, x4
    cmp x2, #64
    b.lo 2f
1:  stp x1, x1, [x3]
    stp x1, x1, [x3, #16]
    stp x1, x1, [x3, #32]
    stp x1, x1, [x3, #48]
    add x3, x3, #64
    sub x2, x2, #64
    cmp x2, #64
    b.hs 1b
2:  cmp x2, #8
    b.lo 4f
3:  str x1, [x3], #8
    sub x2, x2, #8
    cmp x2, #8
    b.hs 3b
4:  cbz x2, 6f
5:  strb w1, [x3], #1
    subs x2, x2, #1
    b.ne 5b
6:  ret

    .section .note.GNU-stack, "", @progbits
