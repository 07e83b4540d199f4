// SPDX-License-Identifier: BSD-3-Clause
// Start-up of a secondary CPU. On Xen it starts at ap_upper_half, in long mode on the kernel's tables. Elsewhere SIPI puts it in real mode at the page below; every CPU runs this copy at the same time.
// It goes straight to long mode on the startup tables, whose low half is this page's neighbourhood only, changes to the
// kernel's own tables in the upper half, draws a stack with one atomic add and calls ap_main().

#define BASE 0x8000
#define AT(symbol) (symbol - ap_trampoline_start + BASE)

    .section .rodata.ap_trampoline, "a", @progbits
    .balign 16
    .globl ap_trampoline_start, ap_trampoline_end, ap_trampoline_root
ap_trampoline_start:
    .code16
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    lgdtl AT(gdt_pointer)
    movl $0x11, %eax                    // PE, ET
    movl %eax, %cr0
    ljmpl $0x08, $AT(protected_mode)
    .code32
protected_mode:
    movw $0x10, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $(1 << 5), %eax                // PAE
    movl %eax, %cr4
    movl AT(ap_trampoline_root), %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx
    rdmsr
    orl $((1 << 8) | (1 << 11)), %eax   // LME, NXE
    wrmsr
    movl $0x80010013, %eax              // PG, WP, ET, MP, PE
    movl %eax, %cr0
    ljmp $0x18, $AT(long_mode)
    .code64
long_mode:
    movabsq $ap_upper_half, %rax
    jmpq *%rax

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff            // 0x08: 32-bit code
    .quad 0x00cf93000000ffff            // 0x10: data
    .quad 0x00af9b000000ffff            // 0x18: 64-bit code
gdt_pointer:
    .word gdt_pointer - gdt - 1
    .long AT(gdt)
    .balign 4
ap_trampoline_root:
    .long 0
ap_trampoline_end:

    .text
    .globl ap_upper_half
ap_upper_half:
    .cfi_sections .debug_frame
    .cfi_startproc
    .cfi_undefined %rip                 // for debuggers: the stack ends here
    movq ap_kernel_root(%rip), %rax
    movq %rax, %cr3
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl %eax, %ss
    movl $1, %eax
    lock xaddq %rax, ap_next_stack(%rip)
    cmpq ap_stack_count(%rip), %rax
    jae 1f                              // more CPUs than the tables list
    movq ap_stack_tops(%rip), %rdx
    movq (%rdx, %rax, 8), %rsp
    xorl %ebp, %ebp
    call ap_main
1:  cli
    hlt
    jmp 1b
    .cfi_endproc

    .section .note.GNU-stack, "", @progbits
