// SPDX-License-Identifier: BSD-3-Clause
// The boot protocol of Arm Linux (Documentation/arch/arm64/booting.rst): MMU off, EL2 or EL1, x0 = physical address of the
// device tree, the image anywhere at a multiple of 2 MiB. Builds the boot translation tables, turns the MMU on and calls
// virt_boot(device_tree) in the upper half. Secondary CPUs come in through secondary_entry (PSCI CPU_ON).
//
// Boot translation tables (kernel/arch/aarch64/memory_layout.hpp has the layout):
//   TTBR0  the first 2 MiB of the image where they are, read-only, until the CPU runs in the upper half
//   TTBR1  the image; the boot window, where boot_memory.cpp puts the device tree; the part of the direct map that boot
//          allocations come from, put there by boot_memory.cpp

#define KERNEL_BASE 0xffffffff80000000
#define DEFAULT_CONSOLE 0x09000000      // PL011 of QEMU virt, until the device tree tells
#define WINDOW_CONSOLE 4                // where it is in the boot window

#define TABLE 3
#define BLOCK_NORMAL 0x701              // valid, access flag, inner shareable, MAIR index 0
#define BLOCK_DEVICE 0x60000000000705   // the same with MAIR index 1, never executable
#define BLOCK_READ_ONLY 0x80

#define CURRENT_EL_2 8
#define SPSR_EL1H_MASKED 0x3c5
#define SCTLR_RES1 0x30d00800
#define SCTLR_MMU (SCTLR_RES1 | 1 << 26 | 1 << 18 | 1 << 16 | 1 << 15 | 1 << 14 | 1 << 12 | 1 << 4 | 1 << 3 | 1 << 2 | 1)
#define MAIR 0x04ff                     // 0: normal, write-back; 1: device, nGnRE
// 48-bit halves, 4 KiB granule, walks write-back and inner shareable, the top byte of programs' addresses ignored (as on
// Linux: tagged pointers); the size of physical addresses is added.
#define TCR (1 << 37 | 16 | 1 << 8 | 1 << 10 | 3 << 12 | 16 << 16 | 1 << 24 | 1 << 26 | 3 << 28 | 2 << 30)

.macro LOAD_CONSTANT register, value
    movz \register, #((\value) & 0xffff)
    movk \register, #((\value) >> 16 & 0xffff), lsl #16
    movk \register, #((\value) >> 32 & 0xffff), lsl #32
    movk \register, #((\value) >> 48 & 0xffff), lsl #48
.endm

    .section .boot.text, "ax", @progbits
    .globl image_header
image_header:
    b primary_entry
    .long 0
    .quad 0                             // text offset
    .quad __image_size
    .quad 0xa                           // little-endian, 4 KiB pages, anywhere in memory
    .quad 0, 0, 0
    .ascii "ARM\x64"
    .long 0

primary_entry:
    .cfi_sections .debug_frame
    .cfi_startproc
    .cfi_undefined x30
    msr daifset, #15
    mov x19, x0
    mrs x21, CurrentEL
    bl drop_to_el1
    adrp x20, image_header              // physical address of the image

    adrp x0, boot_tables
    adrp x1, boot_tables_end
    mov x2, x0
1:  stp xzr, xzr, [x2], #16
    cmp x2, x1
    b.lo 1b

    // The image, 2 MiB an entry.
    adrp x2, boot_image_l2
    LOAD_CONSTANT x3, BLOCK_NORMAL
    orr x3, x3, x20
    ldr x4, =__image_size
2:  str x3, [x2], #8
    add x3, x3, #0x200000
    subs x4, x4, #0x200000
    b.hi 2b

    adrp x2, boot_root
    adrp x3, boot_high_l1
    orr x4, x3, #TABLE
    str x4, [x2, #(511 * 8)]
    adrp x4, boot_image_l2
    orr x4, x4, #TABLE
    str x4, [x3, #(510 * 8)]
    adrp x5, boot_window_l2
    orr x4, x5, #TABLE
    str x4, [x3, #(511 * 8)]
    LOAD_CONSTANT x4, DEFAULT_CONSOLE | BLOCK_DEVICE
    str x4, [x5, #(WINDOW_CONSOLE * 8)]
    adrp x3, boot_direct_l1
    orr x4, x3, #TABLE
    str x4, [x2]

    // The way into the upper half.
    adrp x2, startup_root
    adrp x3, startup_l1
    adrp x4, startup_l2
    ubfx x5, x20, #39, #9
    orr x6, x3, #TABLE
    str x6, [x2, x5, lsl #3]
    ubfx x5, x20, #30, #9
    orr x6, x4, #TABLE
    str x6, [x3, x5, lsl #3]
    ubfx x5, x20, #21, #9
    LOAD_CONSTANT x6, BLOCK_NORMAL | BLOCK_READ_ONLY
    orr x6, x6, x20
    str x6, [x4, x5, lsl #3]

    // Written past the caches: what they may hold of these addresses is dropped.
    dmb sy
    mrs x2, ctr_el0
    ubfx x2, x2, #16, #4                // DminLine: log2 of words
    mov x3, #4
    lsl x2, x3, x2
3:  dc ivac, x0
    add x0, x0, x2
    cmp x0, x1
    b.lo 3b
    dsb sy

    adrp x0, boot_root
    bl enable_mmu
    ldr x0, =upper_half
    br x0
upper_half:
    adrp x0, boot_stack_top
    mov sp, x0
    adrp x0, __bss_start
    adrp x1, __bss_end
4:  stp xzr, xzr, [x0], #16
    cmp x0, x1
    b.lo 4b
    adrp x0, kernel_image_physical
    str x20, [x0, :lo12:kernel_image_physical]
    cmp x21, #CURRENT_EL_2
    cset w1, eq
    adrp x0, boot_entered_at_el2
    strb w1, [x0, :lo12:boot_entered_at_el2]
    mov x0, x19
    mov x29, xzr
    mov x30, xzr
    bl virt_boot
    .cfi_endproc

    // x0 = index of this CPU.
    .globl secondary_entry
secondary_entry:
    .cfi_startproc
    .cfi_undefined x30
    msr daifset, #15
    mov x19, x0
    bl drop_to_el1
    adrp x0, secondary_root
    ldr x0, [x0, :lo12:secondary_root]
    bl enable_mmu
    ldr x0, =1f
    br x0
1:  adrp x0, secondary_stack_tops
    ldr x0, [x0, :lo12:secondary_stack_tops]
    ldr x0, [x0, x19, lsl #3]
    mov sp, x0
    mov x0, x19
    mov x29, xzr
    mov x30, xzr
    bl secondary_main
    .cfi_endproc

    // Returns at EL1, everything masked, MMU off. Uses x0.
drop_to_el1:
    mrs x0, CurrentEL
    cmp x0, #CURRENT_EL_2
    b.ne 2f
    mov x0, #(1 << 31)                  // HCR_EL2.RW: EL1 is 64-bit
    msr hcr_el2, x0
    mov x0, #3                          // counter and timer of EL1 do not trap
    msr cnthctl_el2, x0
    msr cntvoff_el2, xzr
    mrs x0, midr_el1
    msr vpidr_el2, x0
    mrs x0, mpidr_el1
    msr vmpidr_el2, x0
    mov x0, #0x33ff                     // floating point does not trap
    msr cptr_el2, x0
    msr hstr_el2, xzr
    msr vttbr_el2, xzr
    mrs x0, id_aa64pfr0_el1
    ubfx x0, x0, #24, #4
    cbz x0, 1f
    mrs x0, icc_sre_el2                 // registers of GICv3, for EL1 too
    orr x0, x0, #1                      // SRE
    orr x0, x0, #8                      // Enable
    msr icc_sre_el2, x0
    isb
    msr ich_hcr_el2, xzr
1:  LOAD_CONSTANT x0, SCTLR_RES1
    msr sctlr_el1, x0
    mov x0, #SPSR_EL1H_MASKED
    msr spsr_el2, x0
    msr elr_el2, x30
    eret
2:  LOAD_CONSTANT x0, SCTLR_RES1
    msr sctlr_el1, x0
    isb
    ret

    // x0 = root of the upper half. Uses x1 to x3.
enable_mmu:
    msr ttbr1_el1, x0
    adrp x1, startup_root
    msr ttbr0_el1, x1
    mov x1, #MAIR
    msr mair_el1, x1
    LOAD_CONSTANT x1, TCR
    mrs x2, id_aa64mmfr0_el1
    and x2, x2, #15                     // PARange, 48 bits at most with this granule
    mov x3, #5
    cmp x2, x3
    csel x2, x2, x3, lo
    orr x1, x1, x2, lsl #32
    msr tcr_el1, x1
    mov x1, #(3 << 20)                  // floating-point registers do not trap
    msr cpacr_el1, x1
    msr mdscr_el1, xzr
    isb
    tlbi vmalle1
    ic iallu
    dsb nsh
    isb
    LOAD_CONSTANT x1, SCTLR_MMU
    msr sctlr_el1, x1
    isb
    ret

    // void replace_kernel_root(u64 root): through the lower half, with no translation of the upper half valid in between
    // (break before make: Arm ARM, D8.14.1). Everything masked by the caller.
    .globl replace_kernel_root
replace_kernel_root:
    adrp x2, kernel_image_physical
    ldr x2, [x2, :lo12:kernel_image_physical]
    LOAD_CONSTANT x3, KERNEL_BASE
    sub x2, x2, x3                      // physical - virtual
    adrp x1, empty_root
    add x1, x1, x2
    adr x4, 1f
    add x4, x4, x2
    br x4
1:  msr ttbr1_el1, x1
    isb
    tlbi vmalle1
    dsb nsh
    isb
    msr ttbr1_el1, x0
    isb
    ret

    .section .data.boot, "aw", @progbits
    .balign 64
    .globl kernel_image_physical, secondary_root, secondary_stack_tops
kernel_image_physical: .quad 0
    .balign 64                          // secondary CPUs read it before their caches are on
secondary_root: .quad 0
    .balign 64
secondary_stack_tops: .quad 0
    .globl boot_entered_at_el2
boot_entered_at_el2: .byte 0

    .section .boot.bss, "aw", @nobits
    .balign 4096
boot_tables:
boot_root: .skip 4096
boot_high_l1: .skip 4096
boot_image_l2: .skip 4096
    .globl boot_window_l2, boot_direct_l1, boot_direct_l2, startup_root, empty_root
boot_window_l2: .skip 4096
boot_direct_l1: .skip 4096
boot_direct_l2: .skip 4096
startup_root: .skip 4096
startup_l1: .skip 4096
startup_l2: .skip 4096
empty_root: .skip 4096                  // the lower half when no program has it
boot_tables_end:
    .globl boot_stack_guard, boot_stack_top
boot_stack_guard: .skip 4096            // unmapped by kernel_tables_init()
boot_stack: .skip 16384
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
