// SPDX-License-Identifier: BSD-3-Clause
// See user_access.hpp. GUARDED first, last, fixup: a fault at an instruction in [first, last) continues at fixup.

.macro GUARDED first, last, fixup
    .pushsection .exception_table, "a"
    .quad \first, \last, \fixup
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

    .section .text.isr_safe.user_access, "ax", @progbits
    // 64 bytes a round, then bytes. Plain moves rather than string instructions: about as fast on hardware, several
    // times faster under emulation, where every iteration of a string instruction is a step of its own. A fault in the
    // rounds goes on bytewise from the start of the round, so that every accessible byte is copied, as partial reads
    // and writes promise; a fault in the bytes ends the copy. %rdx counts what is left.
    .balign 16
    .globl user_copy_raw
user_copy_raw:
    pushq %rbp
    movq %rsp, %rbp
    SMAP_OPEN
    cmpq $64, %rdx
    jb 2f
copy_rounds:
    movq (%rsi), %rax
    movq 8(%rsi), %rcx
    movq 16(%rsi), %r8
    movq 24(%rsi), %r9
    movq %rax, (%rdi)
    movq %rcx, 8(%rdi)
    movq %r8, 16(%rdi)
    movq %r9, 24(%rdi)
    movq 32(%rsi), %rax
    movq 40(%rsi), %rcx
    movq 48(%rsi), %r8
    movq 56(%rsi), %r9
    movq %rax, 32(%rdi)
    movq %rcx, 40(%rdi)
    movq %r8, 48(%rdi)
    movq %r9, 56(%rdi)
    addq $64, %rsi
    addq $64, %rdi
    subq $64, %rdx
    cmpq $64, %rdx
    jae copy_rounds
2:  cmpq $8, %rdx
    jb 3f
copy_words:
    movq (%rsi), %rax
    movq %rax, (%rdi)
    addq $8, %rsi
    addq $8, %rdi
    subq $8, %rdx
    cmpq $8, %rdx
    jae copy_words
3:  testq %rdx, %rdx
    jz copy_done
copy_bytes:
    movb (%rsi), %al
    movb %al, (%rdi)
    incq %rsi
    incq %rdi
    decq %rdx
    jnz copy_bytes
copy_done:
    SMAP_CLOSE
    movq %rdx, %rax
    popq %rbp
    ret
    GUARDED copy_rounds, copy_bytes, copy_bytes
    GUARDED copy_bytes, copy_done, copy_done

    .balign 16
    .globl user_zero_raw
user_zero_raw:
    pushq %rbp
    movq %rsp, %rbp
    xorl %eax, %eax
    SMAP_OPEN
    cmpq $8, %rsi
    jb 2f
zero_words:
    movq %rax, (%rdi)
    addq $8, %rdi
    subq $8, %rsi
    cmpq $8, %rsi
    jae zero_words
2:  testq %rsi, %rsi
    jz zero_done
zero_bytes:
    movb %al, (%rdi)
    incq %rdi
    decq %rsi
    jnz zero_bytes
zero_done:
    SMAP_CLOSE
    movq %rsi, %rax
    popq %rbp
    ret
    GUARDED zero_words, zero_bytes, zero_bytes
    GUARDED zero_bytes, zero_done, zero_done

    .globl kernel_probe_raw
kernel_probe_raw:
    pushq %rbp
    movq %rsp, %rbp
    movq %rdx, %rcx
probe_move:
    rep movsb
probe_done:
    movq %rcx, %rax
    popq %rbp
    ret
    GUARDED probe_move, probe_done, probe_done

    .balign 16
    .globl user_load32_raw
user_load32_raw:
    SMAP_OPEN
load32:
    movl (%rdi), %eax
    GUARDED load32, load32 + 1, user_access_failed
    SMAP_CLOSE
    movl %eax, (%rsi)
    xorl %eax, %eax
    ret

    .globl user_store32_raw
user_store32_raw:
    SMAP_OPEN
store32:
    movl %esi, (%rdi)
    GUARDED store32, store32 + 1, user_access_failed
    SMAP_CLOSE
    xorl %eax, %eax
    ret

    .globl user_compare_exchange32_raw
user_compare_exchange32_raw:
    movl %esi, %eax
    SMAP_OPEN
exchange32:
    lock cmpxchgl %edx, (%rdi)
    GUARDED exchange32, exchange32 + 1, user_access_failed
    SMAP_CLOSE
    movl %eax, (%rcx)
    xorl %eax, %eax
    ret

user_access_failed:
    SMAP_CLOSE
    movl $1, %eax
    ret

    .section .note.GNU-stack, "", @progbits
