// SPDX-License-Identifier: BSD-3-Clause
// Entry and exit of the kernel: the vector table, one path in and out for kernel contexts, one for programs, which ends in
// a look at the per-CPU word exit_work with interrupts off.
//
// Every entry stores an arch::TrapFrame on the current stack. The CPU masks everything on entry; once the frame is
// complete FIQ, which is the interrupt that the kernel never masks (platform/virt), is let in again, and is masked before
// the frame is taken down.
//
// A kernel stack that has overflowed cannot take a frame: the store faults, which comes in as a synchronous exception of
// EL1 with the stack pointer in the guard page. That entry asks the MMU first whether the frame could be written, and goes
// to a stack of its own if not.

#define FRAME 304
#define OFFSET_SP 248
#define OFFSET_ELR 256
#define OFFSET_ESR 272
#define OFFSET_KIND 288
#define KIND_NON_MASKABLE 2
#define KIND_STACK_OVERFLOW 4
#define MASK_ALL 15

    // Which C++ it reaches is checked from trap_vectors on (base/isr_marks.hpp).
    .section .isrcheck, "", @progbits
    .quad trap_vectors
    .asciz "entry"
    .asciz "every interrupt and exception vector"

    .section .text.isr_safe.trap_entry, "ax", @progbits

.macro VECTOR kind, common
    .balign 128
    sub sp, sp, #FRAME
    stp x0, x1, [sp]
    mov x0, #\kind
    b \common
.endm

.macro STORE_REGISTERS                  // but x0, x1 and x30
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp x8, x9, [sp, #64]
    stp x10, x11, [sp, #80]
    stp x12, x13, [sp, #96]
    stp x14, x15, [sp, #112]
    stp x16, x17, [sp, #128]
    stp x18, x19, [sp, #144]
    stp x20, x21, [sp, #160]
    stp x22, x23, [sp, #176]
    stp x24, x25, [sp, #192]
    stp x26, x27, [sp, #208]
    stp x28, x29, [sp, #224]
.endm
// x0 = kind, x21 = stack pointer of the interrupted context. Leaves its place in x22.
.macro STORE_STATE
    mrs x22, elr_el1
    mrs x23, spsr_el1
    mrs x24, esr_el1
    mrs x25, far_el1
    stp x30, x21, [sp, #240]
    stp x22, x23, [sp, #OFFSET_ELR]
    stp x24, x25, [sp, #OFFSET_ESR]
    stp x0, xzr, [sp, #OFFSET_KIND]
.endm
.macro LOAD_AND_RETURN                  // everything is masked
    ldp x22, x23, [sp, #OFFSET_ELR]
    msr elr_el1, x22
    msr spsr_el1, x23
    ldp x0, x1, [sp]
    ldp x2, x3, [sp, #16]
    ldp x4, x5, [sp, #32]
    ldp x6, x7, [sp, #48]
    ldp x8, x9, [sp, #64]
    ldp x10, x11, [sp, #80]
    ldp x12, x13, [sp, #96]
    ldp x14, x15, [sp, #112]
    ldp x16, x17, [sp, #128]
    ldp x18, x19, [sp, #144]
    ldp x20, x21, [sp, #160]
    ldp x22, x23, [sp, #176]
    ldp x24, x25, [sp, #192]
    ldp x26, x27, [sp, #208]
    ldp x28, x29, [sp, #224]
    ldr x30, [sp, #240]
    add sp, sp, #FRAME
    eret
.endm

    .balign 2048
    .globl trap_vectors
trap_vectors:
    // EL1 on SP_EL0: the kernel never is.
    VECTOR 0, kernel_entry
    VECTOR 1, kernel_entry
    VECTOR 2, kernel_entry
    VECTOR 3, kernel_entry
    // EL1 on its own stack pointer.
    .balign 128
    sub sp, sp, #FRAME
    msr tpidrro_el0, x0                 // free for a moment: programs find 0 in it
    mov x0, sp
    at s1e1w, x0
    isb
    mrs x0, par_el1
    tbnz x0, #0, stack_overflow         // PAR_EL1.F: it would fault
    mrs x0, tpidrro_el0
    msr tpidrro_el0, xzr
    stp x0, x1, [sp]
    mov x0, #0
    b kernel_entry
    VECTOR 1, kernel_entry
    VECTOR 2, kernel_entry
    VECTOR 3, kernel_entry
    // EL0.
    VECTOR 0, user_entry
    VECTOR 1, user_entry
    VECTOR 2, user_entry
    VECTOR 3, user_entry
    // EL0 in 32-bit state, which no program is started in.
    VECTOR 0, kernel_entry
    VECTOR 1, kernel_entry
    VECTOR 2, kernel_entry
    VECTOR 3, kernel_entry

    // The machine is about to end: the program's thread pointer may be lost.
    .balign 16
stack_overflow:
    mov x0, sp
    msr tpidr_el0, x0
    mrs x0, tpidr_el1
    mov sp, x0
    adrp x0, overflow_stack_top
    add x0, x0, :lo12:overflow_stack_top
    add x0, sp, x0
    ldr x0, [x0]
    mov sp, x0
    sub sp, sp, #FRAME
    mrs x0, tpidrro_el0
    msr tpidrro_el0, xzr
    stp x0, x1, [sp]
    mov x0, #KIND_STACK_OVERFLOW

    .balign 16
kernel_entry:
    .cfi_sections .debug_frame
    .cfi_startproc simple
    .cfi_signal_frame
    STORE_REGISTERS
    add x21, sp, #FRAME
    cmp x0, #KIND_STACK_OVERFLOW
    b.ne 1f
    mrs x21, tpidr_el0
    add x21, x21, #FRAME
1:  STORE_STATE
    mov x0, sp
    stp x29, x22, [sp, #-16]!           // a stack frame of the interrupted function, for backtraces
    mov x29, sp
    // For debuggers: x29 = {x29, elr, TrapFrame}.
    .cfi_def_cfa x29, 16
    .cfi_offset x19, 152
    .cfi_offset x20, 160
    .cfi_offset x21, 168
    .cfi_offset x22, 176
    .cfi_offset x23, 184
    .cfi_offset x24, 192
    .cfi_offset x25, 200
    .cfi_offset x26, 208
    .cfi_offset x27, 216
    .cfi_offset x28, 224
    .cfi_offset x29, 232
    .cfi_offset x30, OFFSET_ELR
    .cfi_offset sp, OFFSET_SP
    bl trap_dispatch                    // C++; interrupts are off when it returns
    msr daifset, #MASK_ALL
    add sp, sp, #16
    LOAD_AND_RETURN
    .cfi_endproc

    // The stack pointer of EL1 is where the way out left it: the top of the thread's stack.
    .balign 16
user_entry:
    .cfi_startproc
    .cfi_undefined x30                  // for debuggers: the kernel's part of the stack ends here
    STORE_REGISTERS
    mrs x21, sp_el0
    STORE_STATE
    mov x0, sp
    mov x29, xzr
    bl trap_dispatch                    // C++; interrupts are off when it returns
    ldr x0, [sp, #OFFSET_KIND]
    cmp x0, #KIND_NON_MASKABLE          // FIQ is still masked: no time for work
    b.eq return_to_user_now

    .globl return_to_user
return_to_user:                         // interrupts off, sp = TrapFrame of a user context
    mrs x0, tpidr_el1
    adrp x1, exit_work
    add x1, x1, :lo12:exit_work
    ldr w0, [x0, x1]
    cbnz w0, exit_slow
return_to_user_now:
    msr daifset, #MASK_ALL
    ldr x21, [sp, #OFFSET_SP]
    msr sp_el0, x21
    LOAD_AND_RETURN

exit_slow:
    mov x0, sp
    bl exit_to_user_work                // returns with interrupts off and the word clear
    b return_to_user_now
    .cfi_endproc

    // [[noreturn]] void enter_user_frame(TrapFrame*): interrupts off; the frame lies at the top of the kernel stack.
    .globl enter_user_frame
enter_user_frame:
    mov sp, x0
    mov x29, xzr
    b return_to_user

    .section .note.GNU-stack, "", @progbits
