// SPDX-License-Identifier: BSD-3-Clause
// Marks that tools/isrcheck reads in the linked kernel: which code interrupts may reach (tools/isrcheck/README.md).
//
// On functions: a section of its own for each, which the linker script gathers by kind. The mark belongs on the first
// declaration, and covers the definition, every instance of a template, and every copy of an inline function.
//
//   ISR_SAFE         may run in an interrupt handler: never blocks, faults or allocates
//   ISR_SAFE_LAMBDA  the same for a lambda, after its parameters: [](void* argument) ISR_SAFE_LAMBDA { ... }
//   MAY_BLOCK        may put the thread to sleep
//   ALLOCATES        takes memory from the heap or the frame allocator
//
// In functions: ISR_NOTE(kind, "text") records a fact about the code where it stands, in every place it is inlined into,
// and costs no instruction. Kinds, each with its reason as text:
//
//   "entry"             an interrupt begins here (assembly)
//   "interrupt-end"     the handler is over; interrupts still off, but the thread may be switched out from here on
//   "switches-threads"  allowed only behind "interrupt-end"
//   "thread-rung"       not followed: runs only where a thread may block. The function makes sure of it before its first
//                       call, by reading the interrupt flag or by enabling interrupts, which is checked
//   "ends-machine"      not followed: never returns, which is checked
//   "nmi"               from here on the rules of the Nmi rung: no lock at all
//   "plain-lock"        takes a spin lock without having interrupts off by its type
//   "irq-lock"          takes a spin lock with interrupts off
//   "may-block"         as MAY_BLOCK, also where it is inlined
//   "fpu-switch"        saves or loads FPU registers of a thread; allowed only behind "interrupt-end"
//   "thread-main"       text is the name of the parameter: a function that only ever starts a thread
#pragma once

#if defined(TUTTI_ISR_MARKS)

#define TUTTI_STRING_OF(x) #x
#define TUTTI_STRING(x) TUTTI_STRING_OF(x)
#define TUTTI_MARK_SECTION(kind) __attribute__((section(".text." kind "." TUTTI_STRING(__COUNTER__))))
#define ISR_SAFE TUTTI_MARK_SECTION("isr_safe")
#define MAY_BLOCK TUTTI_MARK_SECTION("may_block")
#define ALLOCATES TUTTI_MARK_SECTION("allocates")
// Not inlined: the function that a lambda without captures converts to has no attributes, and must show as a mere jump.
#define ISR_SAFE_LAMBDA __attribute__((noinline)) ISR_SAFE
#define ISR_NOTE(kind, text)                                                                          \
    asm volatile("771:\n\t.pushsection .isrcheck,\"\",@progbits\n\t.quad 771b\n\t.asciz \"" kind      \
                 "\"\n\t.asciz \"" text "\"\n\t.popsection")

#else  // host programs: nothing reads them

#define ISR_SAFE
#define MAY_BLOCK
#define ALLOCATES
#define ISR_SAFE_LAMBDA
#define ISR_NOTE(kind, text) static_cast<void>(0)

#endif
