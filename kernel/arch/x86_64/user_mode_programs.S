// SPDX-License-Identifier: BSD-3-Clause
// Programs for user_mode_test.cpp: one page of position-independent code that runs in ring 3.
//
//   memory        0x400000 this page (read, execute)   0x500000 data (read, write)   0x600000 constants (read)
//                 stack below 0x701000                 0x800000 nothing
//   system calls  0: end with the result in %rdi       1: %rax = %rdi + 1, by sysret       2: the same, by iretq
//
// Each starts with its number of the run in %rdi.

#define DATA 0x500000
#define CONSTANTS 0x600000
#define NOTHING 0x800000
#define END_WITH(value) movl $value, %edi; xorl %eax, %eax; syscall

.macro PROGRAM name
    .globl program_\name
    .balign 16
program_\name:
.endm
// The program is to end by its last instruction; if it does not, it says so.
.macro SURVIVED
    END_WITH(0xbad)
.endm
.macro PATTERN first
    leaq \first + 1(%rdi), %rbx
    leaq \first + 2(%rdi), %rbp
    leaq \first + 3(%rdi), %r12
    leaq \first + 4(%rdi), %r13
    leaq \first + 5(%rdi), %r14
    leaq \first + 6(%rdi), %r15
    leaq \first + 7(%rdi), %rsi
    leaq \first + 8(%rdi), %rdx
    leaq \first + 9(%rdi), %r8
    leaq \first + 10(%rdi), %r9
    leaq \first + 11(%rdi), %r10
.endm
.macro SAME first, offset, register
    leaq \first + \offset(%rdi), %rcx
    cmpq %rcx, \register
    jne registers_differ
.endm
.macro CHECK_PATTERN first
    SAME \first, 1, %rbx
    SAME \first, 2, %rbp
    SAME \first, 3, %r12
    SAME \first, 4, %r13
    SAME \first, 5, %r14
    SAME \first, 6, %r15
    SAME \first, 7, %rsi
    SAME \first, 8, %rdx
    SAME \first, 9, %r8
    SAME \first, 10, %r9
    SAME \first, 11, %r10
.endm

    .section .rodata.user_programs, "a", @progbits
    .balign 4096
    .globl user_programs
user_programs:

registers_differ:
    END_WITH(0xd1ff)

PROGRAM ends
    END_WITH(42)

PROGRAM keeps_registers_over_sysret
    movl $1, %eax
    jmp call_and_check
PROGRAM keeps_registers_over_iret
    movl $2, %eax
call_and_check:
    movq %rsp, DATA
    PATTERN 0x1000
    syscall
    leaq 1(%rdi), %rcx
    cmpq %rcx, %rax
    jne registers_differ
    cmpq %rsp, DATA
    jne registers_differ
    CHECK_PATTERN 0x1000
    END_WITH(1)

    // Says that it runs, and spins until it is told to end.
PROGRAM spins_until_told
    movl $1, DATA + 8
1:  pause
    cmpl $0, DATA
    je 1b
    END_WITH(1)

    // In and out of the kernel all the time, both ways back.
PROGRAM calls_all_the_time
    PATTERN 0x4000
    movl $60000, %ecx
1:  pushq %rcx
    movl $1, %eax
    testb $1, %cl
    jz 2f
    movl $2, %eax
2:  syscall
    leaq 1(%rdi), %rcx
    cmpq %rcx, %rax
    jne registers_differ
    CHECK_PATTERN 0x4000
    popq %rcx
    decl %ecx
    jnz 1b
    END_WITH(1)

    // General and vector registers, different for each run, while others run on the same CPU.
PROGRAM keeps_registers_over_preemption
    PATTERN 0x777000
    movq %rdi, %xmm5
    movq %rdi, %xmm15
    pushq %rdi
    fildll (%rsp)
    movl $1000000, %eax
1:  CHECK_PATTERN 0x777000
    movq %xmm5, %rcx
    cmpq %rcx, %rdi
    jne registers_differ
    movq %xmm15, %rcx
    cmpq %rcx, %rdi
    jne registers_differ
    decl %eax
    jnz 1b
    fistpll (%rsp)
    popq %rcx
    cmpq %rcx, %rdi
    jne registers_differ
    END_WITH(1)

    // Segment registers and flags that the kernel must not be disturbed by.
PROGRAM loads_segments
    movl $0x2b, %eax
    movl %eax, %gs
    movl %eax, %fs
    movl %eax, %ds
    movl %eax, %es
    movl $1, %eax
    syscall
    xorl %eax, %eax
    movl %eax, %gs
    movl $2, %eax
    syscall
    END_WITH(1)
PROGRAM sets_direction_and_alignment_flags
    pushfq
    orq $0x40400, (%rsp)                // AC, DF
    popfq
    movl $1, %eax
    syscall
    pushfq
    popq %rax
    andl $0x40400, %eax
    cmpl $0x40400, %eax                 // they are the program's, and come back
    jne registers_differ
    ud2                                 // traps with both set

PROGRAM divides_by_zero
    xorl %ecx, %ecx
    divl %ecx
    SURVIVED
PROGRAM breakpoint
    int3
    SURVIVED
PROGRAM single_step
    pushfq
    orq $0x100, (%rsp)
    popfq
    nop
    SURVIVED
PROGRAM overflow_interrupt
    int $4
    SURVIVED
PROGRAM undefined
    ud2
PROGRAM halts
    hlt
    SURVIVED
PROGRAM reads_a_port
    inb $0x80, %al
    SURVIVED
PROGRAM writes_a_port
    outb %al, $0xf4
    SURVIVED
PROGRAM clears_interrupts
    cli
    SURVIVED
PROGRAM reads_cr3
    movq %cr3, %rax
    SURVIVED
PROGRAM writes_dr7
    movq %rax, %dr7
    SURVIVED
PROGRAM reads_an_msr
    movl $0xc0000101, %ecx
    rdmsr
    SURVIVED
PROGRAM swaps_gs
    swapgs
    SURVIVED
PROGRAM calls_an_interrupt
    int $0x80
    SURVIVED
PROGRAM fakes_a_page_fault
    int $14
    SURVIVED
PROGRAM fakes_a_double_fault
    int $8
    SURVIVED
PROGRAM enters_by_sysenter
    sysenter
    SURVIVED
PROGRAM writes_fs_base
    .byte 0xf3, 0x48, 0x0f, 0xae, 0xd0  // wrfsbase %rax
    SURVIVED
PROGRAM writes_xcr0
    xorl %ecx, %ecx
    xorl %edx, %edx
    movl $1, %eax
    xsetbv
    SURVIVED
PROGRAM reads_non_canonical
    movabsq $0x8000000000000000, %rax
    movq (%rax), %rax
    SURVIVED
PROGRAM pushes_non_canonical
    movabsq $0x8000000000000000, %rsp
    pushq %rax
    SURVIVED
PROGRAM jumps_non_canonical
    movabsq $0x8000000000000000, %rax
    jmpq *%rax
PROGRAM reads_the_kernel
    movq $0xffffffff80100000, %rax
    movq (%rax), %rax
    SURVIVED
PROGRAM jumps_into_the_kernel
    movq $0xffffffff80100000, %rax
    jmpq *%rax
PROGRAM writes_constants
    movq %rax, CONSTANTS
    SURVIVED
PROGRAM writes_its_code
    movq %rax, program_ends(%rip)
    SURVIVED
PROGRAM executes_data
    movb $0xc3, DATA
    movl $DATA, %eax
    callq *%rax
    SURVIVED
PROGRAM reads_nothing
    movq NOTHING, %rax
    SURVIVED
PROGRAM x87_divides_by_zero
    fnstcw -8(%rsp)
    andw $~4, -8(%rsp)                  // ZM
    fldcw -8(%rsp)
    fldz
    fld1
    fdivp
    fwait
    SURVIVED
PROGRAM sse_divides_by_zero
    stmxcsr -8(%rsp)
    andl $~0x200, -8(%rsp)              // ZM
    ldmxcsr -8(%rsp)
    xorps %xmm0, %xmm0
    movl $0x3f800000, %eax
    movd %eax, %xmm1
    divss %xmm0, %xmm1
    SURVIVED

    .globl user_programs_end
user_programs_end:

    .section .note.GNU-stack, "", @progbits
