// SPDX-License-Identifier: BSD-3-Clause
// Programs for user_mode_test.cpp, position-independent, started with x0 = 7. System call 0 ends with a result, 1 gives its
// argument plus one.

#define DATA 0x500000
#define CONSTANTS 0x600000

.macro PROGRAM name
    .balign 16
    .globl program_\name
program_\name:
.endm
.macro END
    mov x8, #0
    svc #0
.endm
// x1 to x7, x9 to x30 each hold their own number plus a seed in x0; x8 is the call's.
.macro FILL
    .irp n, 1,2,3,4,5,6,7,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
    add x\n, x0, #\n
    .endr
.endm
// x0 = the seed; to `bad` if one differs. Uses x8.
.macro COMPARE bad
    .irp n, 1,2,3,4,5,6,7,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
    sub x8, x\n, x0
    cmp x8, #\n
    b.ne \bad
    .endr
.endm

    .section .rodata.user_programs, "a", @progbits
    .balign 4096
    .globl user_programs, user_programs_end
user_programs:

PROGRAM ends
    cmp x0, #7
    b.ne 1f
    mov x0, #42
1:  END

PROGRAM keeps_registers
    FILL
    mov x8, #1
    svc #0
    cmp x0, #8
    b.ne 2f
    sub x0, x0, #1
    COMPARE 2f
    mov x1, sp
    cmp x1, #0x700000
    b.lo 2f
    mov x0, #1
    END
2:  mov x0, #0
    END

    // Every general and vector register has its value until the kernel has set the word.
PROGRAM keeps_registers_over_preemption
    .arch_extension fp
    .arch_extension simd
    mov x1, #DATA
    str x0, [sp]
    FILL
    dup v0.2d, x0
    dup v31.2d, x17
1:  COMPARE 2f
    umov x8, v0.d[1]
    cmp x8, x0
    b.ne 2f
    umov x8, v31.d[0]
    cmp x8, x17
    b.ne 2f
    mov x8, #DATA
    ldr w8, [x8]
    cbz w8, 1b
    mov x0, #1
    END
2:  mov x0, #0
    END

PROGRAM counts
    mrs x1, cntvct_el0
    mrs x2, cntvct_el0
    cmp x2, x1
    cset x0, hs
    END

PROGRAM reads_null
    mov x1, #0
    ldr x0, [x1]
    END

PROGRAM writes_constants
    mov x1, #CONSTANTS
    str x1, [x1]
    END

PROGRAM executes_data
    mov x1, #DATA
    br x1

PROGRAM reads_kernel
    mov x1, #0xffff000000000000
    ldr x0, [x1]
    END

PROGRAM undefined
    udf #0
    END

PROGRAM masks_interrupts
    msr daifset, #2
    END

PROGRAM reads_a_privileged_register
    mrs x0, ttbr0_el1
    END

PROGRAM breaks
    brk #1
    END

PROGRAM jumps_astray
    mov x1, #0x400000
    add x1, x1, #1
    br x1

user_programs_end:

    .section .note.GNU-stack, "", @progbits
