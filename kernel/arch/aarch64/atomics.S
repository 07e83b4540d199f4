// SPDX-License-Identifier: BSD-3-Clause
// The functions that -moutline-atomics calls: one instruction of the Large System Extensions where the CPU has them
// (ARMv8.1), else a load-exclusive loop. Names and registers are the compiler's: __aarch64_OPERATION SIZE _ORDER, with the
// new value in w0/x0, the compared one there and the new one in w1, and the address last.
//
// Orders other than relaxed and acquire get a full barrier's strength only as far as the name asks: _acq loads with
// acquire, _rel stores with release, _acq_rel and _sync both (sequentially consistent operations are acq_rel here, as the
// compiler defines it).

    .section .text.isr_safe.atomics, "ax", @progbits

// suffix of LSE mnemonics and of the exclusive pair, for an order
.macro EACH_ORDER macro, size, s, w
    \macro \size, \s, \w, relax, , ,
    \macro \size, \s, \w, acq, a, a,
    \macro \size, \s, \w, rel, l, , l
    \macro \size, \s, \w, acq_rel, al, a, l
.endm
.macro EACH_SIZE macro
    EACH_ORDER \macro, 1, b, w
    EACH_ORDER \macro, 2, h, w
    EACH_ORDER \macro, 4, , w
    EACH_ORDER \macro, 8, , x
.endm
.macro FUNCTION name
    .balign 16
    .globl \name
    .type \name, %function
\name:
    adrp x16, aarch64_has_lse
    ldrb w16, [x16, :lo12:aarch64_has_lse]
.endm

.macro EXTEND size, to, from
    .if \size == 1
    uxtb \to, \from
    .elseif \size == 2
    uxth \to, \from
    .endif
.endm

// T cas(T expected, T desired, T* at): the value found.
.macro CAS size, s, w, order, lse, load, store
    FUNCTION __aarch64_cas\size\()_\order
    cbz w16, 1f
    .arch_extension lse
    cas\lse\s \w\()0, \w\()1, [x2]
    .arch_extension nolse
    ret
1:  mov \w\()16, \w\()0
    EXTEND \size, w16, w16
2:  ld\load\()xr\s \w\()0, [x2]
    cmp \w\()0, \w\()16
    b.ne 3f
    st\store\()xr\s w17, \w\()1, [x2]
    cbnz w17, 2b
3:  ret
.endm
EACH_SIZE CAS

// T operation(T operand, T* at): the value before.
.macro SWP size, s, w, order, lse, load, store
    FUNCTION __aarch64_swp\size\()_\order
    cbz w16, 1f
    .arch_extension lse
    swp\lse\s \w\()0, \w\()0, [x1]
    .arch_extension nolse
    ret
1:  mov \w\()16, \w\()0
2:  ld\load\()xr\s \w\()0, [x1]
    st\store\()xr\s w17, \w\()16, [x1]
    cbnz w17, 2b
    ret
.endm
EACH_SIZE SWP

.macro READ_MODIFY_WRITE name, instruction, size, s, w, order, lse, load, store
    FUNCTION __aarch64_\name\size\()_\order
    cbz w16, 1f
    .arch_extension lse
    \name\lse\s \w\()0, \w\()0, [x1]
    .arch_extension nolse
    ret
1:  mov \w\()16, \w\()0
2:  ld\load\()xr\s \w\()0, [x1]
    \instruction \w\()17, \w\()0, \w\()16
    st\store\()xr\s w15, \w\()17, [x1]
    cbnz w15, 2b
    ret
.endm
.macro LDADD size, s, w, order, lse, load, store
    READ_MODIFY_WRITE ldadd, add, \size, \s, \w, \order, \lse, \load, \store
.endm
.macro LDCLR size, s, w, order, lse, load, store
    READ_MODIFY_WRITE ldclr, bic, \size, \s, \w, \order, \lse, \load, \store
.endm
.macro LDEOR size, s, w, order, lse, load, store
    READ_MODIFY_WRITE ldeor, eor, \size, \s, \w, \order, \lse, \load, \store
.endm
.macro LDSET size, s, w, order, lse, load, store
    READ_MODIFY_WRITE ldset, orr, \size, \s, \w, \order, \lse, \load, \store
.endm
EACH_SIZE LDADD
EACH_SIZE LDCLR
EACH_SIZE LDEOR
EACH_SIZE LDSET

    .section .note.GNU-stack, "", @progbits
