// SPDX-License-Identifier: BSD-3-Clause
// Entry and exit of the kernel: 256 interrupt and exception vectors, SYSCALL, the way back, and the first way out.
//
// Every path builds an arch::TrapFrame on the current thread's kernel stack:
//
//   user -> kernel    swapgs, stack from TSS.rsp0 (interrupts) or arch::kernel_stack_top (SYSCALL)
//   kernel -> kernel  same stack
//   fault of iretq    the way back failed (an instruction pointer or selector that the CPU does not take): made to look
//                     like a fault of the program at the place it was to return to
//   NMI, #DF, #MC     stacks of their own (IST) and GS tested by its value: they can hit between any two instructions
//
// On the way out, interrupts off, the per-CPU word arch::exit_work decides whether C++ has something to do first
// (preemption, signals). The word is tested with interrupts off, so nothing is missed between test and return.

#define USER_DS 0x2b
#define USER_CS 0x33
#define SYSCALL_VECTOR 256
#define VECTOR_NMI 2
#define OFFSET_VECTOR 120
#define OFFSET_RIP 136
#define OFFSET_CS 144
#define OFFSET_RSP 160

// Supervisor-mode access prevention: patched from a three-byte nop to clac or stac at boot if the CPU has it.
.macro SMAP_CLAC
771: .byte 0x0f, 0x1f, 0x00
    .pushsection .smap_patch, "a"
    .quad 771b, 0xca
    .popsection
.endm

.macro PUSH_REGISTERS
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %rax
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
.endm

.macro POP_REGISTERS
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rax
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
.endm

// For debuggers: where the interrupted registers are while C++ runs.
.macro FRAME_OF_USER                    // the kernel's part of the stack ends here
    .cfi_startproc
    .cfi_undefined %rip
.endm
.macro FRAME_OF_KERNEL                  // %rbp = {%rbp, %rip, TrapFrame}
    .cfi_startproc simple
    .cfi_signal_frame
    .cfi_def_cfa %rbp, 16
    .cfi_offset %r15, 0
    .cfi_offset %r14, 8
    .cfi_offset %r13, 16
    .cfi_offset %r12, 24
    .cfi_offset %rbp, 32
    .cfi_offset %rbx, 40
    .cfi_offset %r11, 48
    .cfi_offset %r10, 56
    .cfi_offset %r9, 64
    .cfi_offset %r8, 72
    .cfi_offset %rax, 80
    .cfi_offset %rcx, 88
    .cfi_offset %rdx, 96
    .cfi_offset %rsi, 104
    .cfi_offset %rdi, 112
    .cfi_offset %rip, OFFSET_RIP
    .cfi_offset %rsp, OFFSET_RSP
.endm
    .cfi_sections .debug_frame

    // All of it may run in an interrupt; which C++ it reaches is checked from trap_stubs on (base/isr_marks.hpp).
    .section .isrcheck, "", @progbits
    .quad trap_stubs
    .asciz "entry"
    .asciz "every interrupt and exception vector"

    .section .text.isr_safe.trap_entry, "ax", @progbits
    .balign 16
    .globl trap_stubs
trap_stubs:
vector = 0
.rept 256
    .balign 16
    // The CPU pushes an error code for these (SDM vol. 3, table 6-1).
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    pushq $0
    .endif
    pushq $vector
    .if vector == VECTOR_NMI || vector == 8 || vector == 18
    jmp paranoid_entry
    .else
    jmp trap_entry
    .endif
    vector = vector + 1
.endr

    .balign 16
trap_entry:
    SMAP_CLAC
    cld
    testb $3, 24(%rsp)
    jz trap_from_kernel
    swapgs
    PUSH_REGISTERS
trap_from_user:
    FRAME_OF_USER
    movq %rsp, %rdi
    xorl %ebp, %ebp
    call trap_dispatch                  // C++; interrupts are off when it returns

    .globl return_to_user
return_to_user:                         // interrupts off, %rsp = TrapFrame of a user context
    cmpl $0, %gs:exit_work
    jne exit_slow
return_to_user_now:
    POP_REGISTERS
    addq $16, %rsp
    swapgs
user_iret:
    iretq

exit_slow:
    movq %rsp, %rdi
    call exit_to_user_work              // returns with interrupts off and the word clear
    jmp return_to_user_now
    .cfi_endproc

trap_from_kernel:
    FRAME_OF_KERNEL
    cmpq $user_iret, 16(%rsp)
    je iret_failed
    PUSH_REGISTERS
    movq %rsp, %rdi
    pushq OFFSET_RIP(%rdi)              // a stack frame of the interrupted function, for backtraces
    pushq %rbp
    movq %rsp, %rbp
    call trap_dispatch
    addq $16, %rsp
    POP_REGISTERS
    addq $16, %rsp
    iretq
    .cfi_endproc

iret_failed:                            // GS and the registers are the program's
    swapgs
    PUSH_REGISTERS
    movq %rsp, %rdi
    xorl %ebp, %ebp
    call frame_of_failed_iret           // moves the registers up to where the frame of this iretq lies
    movq %rax, %rsp
    jmp trap_from_user

    // NMI, double fault, machine check: GS may be the user's or the kernel's whatever CS says. The user's GS base is
    // always below the upper half (arch_prctl checks it and user code cannot write it: CR4.FSGSBASE stays clear).
    .balign 16
paranoid_entry:
    FRAME_OF_KERNEL
    SMAP_CLAC
    cld
    PUSH_REGISTERS
    xorl %ebx, %ebx
    movl $0xc0000101, %ecx
    rdmsr
    testl %edx, %edx
    js 1f
    swapgs
    incl %ebx
1:  movq %rsp, %rdi
    pushq OFFSET_RIP(%rdi)
    pushq %rbp
    movq %rsp, %rbp
    call trap_dispatch
    addq $16, %rsp
    testl %ebx, %ebx
    jz 2f
    swapgs
2:  cmpl $VECTOR_NMI, OFFSET_VECTOR(%rsp)
    je nmi_return
    POP_REGISTERS
    addq $16, %rsp
    iretq

    // A hypervisor that learns of the handler's end by intercepting its iretq may deliver the next NMI before that iretq
    // (Xen on AMD does): what it is to load lies above the IST's top, where the next NMI's words do not overwrite it.
nmi_return:
    testb $3, OFFSET_CS(%rsp)
    jnz 3f
    cmpq $nmi_iret, OFFSET_RIP(%rsp)
    je 4f                               // this is that next one: the other's words are still to be loaded
3:
    .irp word, 0, 8, 16, 24, 32
    movq OFFSET_RIP + \word(%rsp), %rax
    movq %rax, OFFSET_RIP + 40 + \word(%rsp)
    .endr
4:  POP_REGISTERS
    addq $16 + 40, %rsp
nmi_iret:
    iretq
    .cfi_endproc

    // SYSCALL: %rcx = return address, %r11 = flags, interrupts off through IA32_FMASK, stack still the program's.
    .balign 16
    .globl syscall_entry
syscall_entry:
    FRAME_OF_USER
    swapgs
    movq %rsp, %gs:user_stack_scratch
    movq %gs:kernel_stack_top, %rsp
    pushq $USER_DS
    pushq %gs:user_stack_scratch
    pushq %r11
    pushq $USER_CS
    pushq %rcx
    pushq %rax
    pushq $SYSCALL_VECTOR
    PUSH_REGISTERS
    movq %rsp, %rdi
    xorl %ebp, %ebp
    sti
    call *syscall_handler(%rip)
    cli
    cmpl $0, %gs:exit_work
    jne exit_slow
    // SYSRET only when it restores exactly what the frame says: the frame is still a system call's, and the return
    // address is canonical (a non-canonical one would fault in ring 0 with the user's stack pointer on Intel).
    cmpl $SYSCALL_VECTOR, OFFSET_VECTOR(%rsp)
    jne return_to_user_now
    movq OFFSET_RIP(%rsp), %rcx
    movq %rcx, %rax
    shrq $47, %rax
    jnz return_to_user_now
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    addq $8, %rsp                       // r11
    popq %r10
    popq %r9
    popq %r8
    popq %rax
    addq $8, %rsp                       // rcx
    popq %rdx
    popq %rsi
    popq %rdi
    movq 32(%rsp), %r11                 // rflags
    movq 40(%rsp), %rsp
    swapgs
    sysretq
    .cfi_endproc

    // [[noreturn]] void enter_user_frame(TrapFrame*): interrupts off; the frame lies at the top of the kernel stack.
    .globl enter_user_frame
enter_user_frame:
    movq %rdi, %rsp
    jmp return_to_user

    .section .note.GNU-stack, "", @progbits
