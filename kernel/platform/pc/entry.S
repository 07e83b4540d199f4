// SPDX-License-Identifier: BSD-3-Clause
// PVH entry (Xen, "x86/HVM direct boot ABI"): 32-bit protected mode, paging off, %ebx = physical address of
// hvm_start_info. Builds the boot page tables, enters long mode and calls pc_boot(start_info) in the upper half.
//
// Boot page tables: the first 4 GiB in 2 MiB pages, seen three times through the same page directories:
//   0x0000000000000000  identity, needed until we run in the upper half (and by the start-up of secondary CPUs)
//   0xffff800000000000  the direct map's first 4 GiB
//   0xffffffff80000000  the kernel image (first 1 GiB)

#define KERNEL_BASE 0xffffffff80000000
#define PHYS(symbol) (symbol - KERNEL_BASE)
#define PRESENT_WRITE 0x3
#define LARGE_PAGE 0x83

    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, 18                      // name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long PHYS(pvh_entry)

    .section .boot.text, "ax", @progbits
    .code32
    .globl pvh_entry
pvh_entry:
    cld
    cli
    movl %ebx, %ebp

    // Page directories: 2048 entries of 2 MiB.
    movl $PHYS(boot_page_directories), %edi
    movl $LARGE_PAGE, %eax
    xorl %edx, %edx
    movl $2048, %ecx
1:  movl %eax, (%edi)
    movl %edx, 4(%edi)
    addl $0x200000, %eax
    adcl $0, %edx
    addl $8, %edi
    loop 1b

    // PDPT for identity and direct map, and one for the kernel image.
    movl $PHYS(boot_page_directories) + PRESENT_WRITE, %eax
    movl $PHYS(boot_pdpt_low), %edi
    movl $4, %ecx
2:  movl %eax, (%edi)
    addl $4096, %eax
    addl $8, %edi
    loop 2b
    movl $PHYS(boot_page_directories) + PRESENT_WRITE, PHYS(boot_pdpt_high) + 510 * 8

    movl $PHYS(boot_pdpt_low) + PRESENT_WRITE, PHYS(boot_pml4)
    movl $PHYS(boot_pdpt_low) + PRESENT_WRITE, PHYS(boot_pml4) + 256 * 8
    movl $PHYS(boot_pdpt_high) + PRESENT_WRITE, PHYS(boot_pml4) + 511 * 8

    movl %cr4, %eax
    orl $(1 << 5), %eax                 // CR4.PAE
    movl %eax, %cr4
    movl $PHYS(boot_pml4), %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx              // IA32_EFER
    rdmsr
    orl $((1 << 8) | (1 << 11)), %eax   // LME, NXE
    wrmsr
    movl %cr0, %eax
    andl $~((1 << 2) | (1 << 30) | (1 << 29)), %eax
    orl $((1 << 31) | (1 << 16) | (1 << 1) | 1), %eax   // PG, WP, MP, PE
    movl %eax, %cr0
    lgdt PHYS(boot_gdt_pointer)
    ljmp $0x08, $PHYS(long_mode)

    .code64
long_mode:
    movabsq $upper_half, %rax
    jmpq *%rax
upper_half:
    .cfi_sections .debug_frame
    .cfi_startproc
    .cfi_undefined %rip                 // for debuggers: the stack ends here
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl %eax, %ss
    leaq boot_stack_top(%rip), %rsp
    movl %ebp, %edi
    xorl %ebp, %ebp
    call pc_boot
3:  cli
    hlt
    jmp 3b
    .cfi_endproc

    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff            // 0x08: 64-bit code
    .quad 0x00cf93000000ffff            // 0x10: data
boot_gdt_pointer:
    .word boot_gdt_pointer - boot_gdt - 1
    .quad PHYS(boot_gdt)

    .section .boot.bss, "aw", @nobits
    .balign 4096
    .globl boot_pml4
boot_pml4: .skip 4096
boot_pdpt_low: .skip 4096
boot_pdpt_high: .skip 4096
boot_page_directories: .skip 4 * 4096
    .globl boot_stack_guard, boot_stack_top
boot_stack_guard: .skip 4096            // unmapped by kernel_tables_init()
boot_stack: .skip 16384
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
