// SPDX-License-Identifier: BSD-3-Clause
// See user_access.hpp. EX(fixup) adds the next instruction to the exception table.

.macro EX fixup
772:
    .pushsection .exception_table, "a"
    .quad 772b, \fixup
    .popsection
.endm
.macro SMAP_OPEN
771: .byte 0x0f, 0x1f, 0x00
    .pushsection .smap_patch, "a"
    .quad 771b, 0xcb                    // stac
    .popsection
.endm
.macro SMAP_CLOSE
771: .byte 0x0f, 0x1f, 0x00
    .pushsection .smap_patch, "a"
    .quad 771b, 0xca                    // clac
    .popsection
.endm

    .text
    // Words first, then the odd bytes. On a fault %rcx says how much was left; after a fault in the words the rest is
    // retried bytewise so that every accessible byte is copied, as partial reads and writes promise.
    .balign 16
    .globl user_copy_raw
user_copy_raw:
    pushq %rbp
    movq %rsp, %rbp
    movq %rdx, %rcx
    shrq $3, %rcx
    andl $7, %edx
    SMAP_OPEN
    EX 2f
    rep movsq
1:  movl %edx, %ecx
    EX 3f
    rep movsb
    SMAP_CLOSE
    xorl %eax, %eax
    popq %rbp
    ret
2:  leaq (%rdx, %rcx, 8), %rcx
    EX 3f
    rep movsb
3:  SMAP_CLOSE
    movq %rcx, %rax
    popq %rbp
    ret

    .balign 16
    .globl user_zero_raw
user_zero_raw:
    pushq %rbp
    movq %rsp, %rbp
    movq %rsi, %rcx
    xorl %eax, %eax
    SMAP_OPEN
    EX 1f
    rep stosb
1:  SMAP_CLOSE
    movq %rcx, %rax
    popq %rbp
    ret

    .globl kernel_probe_raw
kernel_probe_raw:
    pushq %rbp
    movq %rsp, %rbp
    movq %rdx, %rcx
    EX 1f
    rep movsb
1:  movq %rcx, %rax
    popq %rbp
    ret

    .balign 16
    .globl user_load32_raw
user_load32_raw:
    SMAP_OPEN
    EX user_access_failed
    movl (%rdi), %eax
    SMAP_CLOSE
    movl %eax, (%rsi)
    xorl %eax, %eax
    ret

    .globl user_store32_raw
user_store32_raw:
    SMAP_OPEN
    EX user_access_failed
    movl %esi, (%rdi)
    SMAP_CLOSE
    xorl %eax, %eax
    ret

    .globl user_compare_exchange32_raw
user_compare_exchange32_raw:
    movl %esi, %eax
    SMAP_OPEN
    EX user_access_failed
    lock cmpxchgl %edx, (%rdi)
    SMAP_CLOSE
    movl %eax, (%rcx)
    xorl %eax, %eax
    ret

user_access_failed:
    SMAP_CLOSE
    movl $1, %eax
    ret

    .section .note.GNU-stack, "", @progbits
