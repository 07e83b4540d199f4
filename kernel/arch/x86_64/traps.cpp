// SPDX-License-Identifier: BSD-3-Clause
#include "arch/traps.hpp"

#include <cstring>

#include "arch/crash_report.hpp"
#include "arch/user_access.hpp"
#include "base/assert.hpp"
#include "hal/console.hpp"
#include "hal/hooks.hpp"

extern "C" {
TUTTI_PERCPU tutti::u64 kernel_stack_top = 0;
TUTTI_PERCPU tutti::u64 user_stack_scratch = 0;
TUTTI_PERCPU tutti::u32 exit_work = 0;
constinit tutti::arch::SyscallHandler syscall_handler = nullptr;

extern char trap_stubs[];
extern char syscall_entry[];
struct SmapPatch {
    tutti::u64 address;
    tutti::u64 third_byte;
};
extern SmapPatch const __smap_patch_start[];
extern SmapPatch const __smap_patch_end[];
}

namespace tutti::hal {
constinit Hooks hooks{};
}

namespace tutti::arch {

TUTTI_PERCPU u64 percpu_base_self = 0;
TUTTI_PERCPU u32 percpu_own_index = 0;
TUTTI_PERCPU TrapFrame const* fatal_frame_of_cpu = nullptr;

namespace {

struct [[gnu::packed]] TaskStateSegment {
    u32 reserved0;
    u64 rsp[3];
    u64 reserved1;
    u64 ist[7];
    u64 reserved2;
    u16 reserved3;
    u16 io_map_base;
};
static_assert(sizeof(TaskStateSegment) == 104);

struct CpuTables {
    u64 gdt[16];
    TaskStateSegment tss;
};
TUTTI_PERCPU CpuTables cpu_tables{};

struct [[gnu::packed]] TablePointer {
    u16 limit;
    u64 base;
};

struct IdtEntry {
    u16 offset_low;
    u16 selector;
    u8 ist;
    u8 type;
    u16 offset_middle;
    u32 offset_high;
    u32 reserved;
};
static_assert(sizeof(IdtEntry) == 16);
constinit IdtEntry idt[256]{};

constexpr u64 kReservedBit = 1 << 3;  // page-fault error code: a table entry of ours is malformed

constexpr u8 kInterruptGate = 0x8e;
constexpr u8 kUserInterruptGate = 0xee;

u8 ist_of(unsigned vector) {
    switch (vector) {
        case kVectorNmi: return 1;
        case kVectorDoubleFault: return 2;
        case kVectorMachineCheck: return 3;
        default: return 0;
    }
}

// Above the NMIs' stack: the five words that nmi_return (trap_entry.S) copies there, to a multiple of 16.
constexpr u64 kRoomOfNmiReturn = 48;

bool has_smap() { return cpuid(0).eax >= 7 && (cpuid(7).ebx & (1u << 20)) != 0; }

// The report is the panic's: one at a time, whatever fails on other CPUs meanwhile.
[[noreturn]] ISR_SAFE void fatal_exception(TrapFrame& frame, u64 address) {
    disable_interrupts();
    percpu_store(fatal_frame_of_cpu, static_cast<TrapFrame const*>(&frame));
    char text[200];
    panic_formatted(describe_exception(text, frame, VirtAddr{address}), nullptr, 0);
}

// Of a program, or of a copy function with interrupts on: blocks until the page is there.
NOINLINE bool resolve_page_fault(TrapFrame& frame, VirtAddr address, hal::FaultAccess access) {
    ISR_NOTE("thread-rung", "what faulted had interrupts on: a program, or a thread that copies to or from one");
    enable_interrupts();
    bool const resolved = hal::hooks.page_fault(frame, address, access);
    disable_interrupts();
    return resolved;
}

NOINLINE void tell_program(TrapFrame& frame, unsigned vector, VirtAddr address) {
    ISR_NOTE("thread-rung", "an exception of a program is dealt with like a system call of it");
    enable_interrupts();
    hal::hooks.user_exception(frame, vector, address);
    disable_interrupts();
}

ISR_SAFE void handle_exception(TrapFrame& frame) {
    auto const vector = static_cast<unsigned>(frame.vector);
    // Read before anything can fault again. A double fault was often a page fault first.
    u64 const address = vector == kVectorPageFault || vector == kVectorDoubleFault ? read_cr2() : frame.rip;
    if (vector == kVectorNmi) {
        if (hal::hooks.nmi != nullptr && hal::hooks.nmi(frame)) return;
        hal::early_console_write("unexpected NMI\n");
        return;
    }
    if (vector == kVectorPageFault) {
        hal::FaultAccess const access{.write = (frame.error_code & 2) != 0,
                                      .execute = (frame.error_code & 16) != 0,
                                      .user = (frame.error_code & 4) != 0,
                                      .present = (frame.error_code & 1) != 0};
        bool const user_half = address >> 47 == 0;
        if ((frame.error_code & kReservedBit) != 0) fatal_exception(frame, address);
        // The kernel touches user addresses only in the functions of user_access.S, whose instructions are all in the
        // exception table; anything else is a bug of ours and must not be papered over by mapping a page.
        bool const may_resolve =
            user_half && hal::hooks.page_fault != nullptr && (frame.is_user() || find_fixup(frame.rip) != 0);
        if (may_resolve) {
            // A program always has interrupts on. A kernel context that had them off (a pinned futex access) may not block or be preempted: such
            // accesses fail over to their fix-up and are retried outside.
            bool const had_interrupts = frame.is_user() || (frame.rflags & kFlagInterrupt) != 0;
            if (had_interrupts && resolve_page_fault(frame, VirtAddr{address}, access)) return;
        }
    }
    if (frame.is_user()) {
        if (hal::hooks.user_exception == nullptr || vector == kVectorDoubleFault || vector == kVectorMachineCheck)
            fatal_exception(frame, address);
        tell_program(frame, vector, VirtAddr{address});
        return;
    }
    if (u64 const fixup = find_fixup(frame.rip); fixup != 0) {
        frame.rip = fixup;
        return;
    }
    fatal_exception(frame, address);
}

}  // namespace

// Called when iretq to user mode faulted, with the frame of that fault, which lies below the one that iretq could not
// load. Both share the end of the stack: the registers of the program and the fault's vector and error code move up, so
// that they and iretq's five words are a frame of the program.
extern "C" ISR_SAFE TrapFrame* frame_of_failed_iret(TrapFrame* fault) {
    constexpr size_t kMoved = offsetof(TrapFrame, rip);
    auto* const frame = reinterpret_cast<TrapFrame*>(fault->rsp - kMoved);
    std::memmove(static_cast<void*>(frame), fault, kMoved);
    // Still a program's frame if it was the selector that was bad.
    frame->cs = kUserCodeSelector;
    frame->ss = kUserDataSelector;
    return frame;
}

extern "C" ISR_SAFE void trap_dispatch(TrapFrame* frame) {
    if (frame->vector < kFirstInterruptVector) {
        handle_exception(*frame);
    } else if (hal::hooks.interrupt != nullptr) {
        hal::hooks.interrupt(*frame, static_cast<unsigned>(frame->vector));
        if (!frame->is_user() && hal::hooks.irq_exit_to_kernel != nullptr && (frame->rflags & kFlagInterrupt) != 0)
            hal::hooks.irq_exit_to_kernel();
    }
}

extern "C" ISR_SAFE void exit_to_user_work(TrapFrame* frame) {
    ISR_NOTE("interrupt-end", "on the way back to a program: the interrupt handler, if there was one, has returned");
    while (percpu_load(exit_work) != 0) {
        CHECK(hal::hooks.exit_to_user != nullptr, "exit work without a handler");
        hal::hooks.exit_to_user(*frame);
    }
}

void traps_init() {
    for (unsigned vector = 0; vector < 256; ++vector) {
        u64 const target = reinterpret_cast<u64>(trap_stubs) + vector * 16u;
        bool const from_user = vector == kVectorBreakpoint || vector == kVectorOverflow;
        idt[vector] = {.offset_low = static_cast<u16>(target),
                       .selector = kKernelCodeSelector,
                       .ist = ist_of(vector),
                       .type = from_user ? kUserInterruptGate : kInterruptGate,
                       .offset_middle = static_cast<u16>(target >> 16),
                       .offset_high = static_cast<u32>(target >> 32),
                       .reserved = 0};
    }
    if (has_smap()) {
        // The text is still mapped writable here; each site holds a three-byte nop.
        for (SmapPatch const* patch = __smap_patch_start; patch != __smap_patch_end; ++patch) {
            auto* const code = reinterpret_cast<volatile u8*>(patch->address);
            code[0] = 0x0f;
            code[1] = 0x01;
            code[2] = static_cast<u8>(patch->third_byte);
        }
    }
}

void traps_init_cpu(u32 cpu_number, ExceptionStacks const& stacks) {
    percpu_store(percpu_base_self, read_msr(kMsrGsBase));
    CpuTables& tables = *percpu_address(cpu_tables);
    u64* const gdt = tables.gdt;
    gdt[kKernelCodeSelector / 8] = 0x00af9b000000ffff;
    gdt[kKernelDataSelector / 8] = 0x00cf93000000ffff;
    gdt[0x20 / 8] = 0x00cffb000000ffff;  // 32-bit user code: SYSRET's base; not used
    gdt[kUserDataSelector / 8] = 0x00cff3000000ffff;
    gdt[kUserCodeSelector / 8] = 0x00affb000000ffff;
    u64 const tss = reinterpret_cast<u64>(&tables.tss);
    gdt[kTssSelector / 8] = (sizeof(TaskStateSegment) - 1) | ((tss & 0xffffff) << 16) | (u64{0x89} << 40) |
                            ((tss >> 24 & 0xff) << 56);
    gdt[kTssSelector / 8 + 1] = tss >> 32;
    gdt[kCpuNumberSelector / 8] = 0x0040f50000000000 | (cpu_number & 0xffff) | (u64{cpu_number >> 16 & 0xf} << 48);

    tables.tss.io_map_base = sizeof(TaskStateSegment);
    for (size_t i = 0; i < std::size(stacks.tops); ++i) tables.tss.ist[i] = reinterpret_cast<u64>(stacks.tops[i]);
    tables.tss.ist[ist_of(kVectorNmi) - 1] -= kRoomOfNmiReturn;

    TablePointer const gdt_pointer{sizeof tables.gdt - 1, reinterpret_cast<u64>(gdt)};
    TablePointer const idt_pointer{sizeof idt - 1, reinterpret_cast<u64>(idt)};
    u64 const gs = read_msr(kMsrGsBase);
    asm volatile(
        "lgdt %0\n\t"
        "lidt %1\n\t"
        "pushq %2\n\t"
        "leaq 1f(%%rip), %%rax\n\t"
        "pushq %%rax\n\t"
        "lretq\n"
        "1: movl %k3, %%ss\n\t"
        "xorl %%eax, %%eax\n\t"
        "movl %%eax, %%ds\n\t"
        "movl %%eax, %%es\n\t"
        "movl %%eax, %%fs\n\t"
        "movl %%eax, %%gs\n\t"
        "ltr %w4" ::"m"(gdt_pointer),
        "m"(idt_pointer), "i"(u64{kKernelCodeSelector}), "r"(u64{kKernelDataSelector}), "r"(kTssSelector)
        : "rax", "memory");
    write_msr(kMsrGsBase, gs);  // loading %gs cleared it
    write_msr(kMsrKernelGsBase, 0);

    write_msr(kMsrEfer, read_msr(kMsrEfer) | 1);  // SCE
    write_msr(kMsrStar, (u64{kKernelCodeSelector} << 32) | (u64{0x20 | 3} << 48));
    write_msr(kMsrLstar, reinterpret_cast<u64>(syscall_entry));
    // Cleared by SYSCALL: TF, IF, DF, IOPL, NT, AC.
    write_msr(kMsrSyscallMask, 0x100 | 0x200 | 0x400 | 0x3000 | 0x4000 | 0x40000);

    write_cr0(read_cr0() | kCr0WriteProtect | kCr0AlignmentMask);
    // Exactly these, whatever firmware left: no FSGSBASE (the NMI entry relies on it), RDTSC for all, RDPMC for none.
    u64 cr4 = kCr4Pae | kCr4GlobalPages;
    if ((cpuid(1).edx & (1u << 7)) != 0) cr4 |= kCr4MachineCheck;
    if (cpuid(0).eax >= 7) {
        CpuidResult const features = cpuid(7);
        if ((features.ebx & (1u << 7)) != 0) cr4 |= kCr4Smep;
        if ((features.ebx & (1u << 20)) != 0) cr4 |= kCr4Smap;
        if ((features.ecx & (1u << 2)) != 0) cr4 |= kCr4Umip;
    }
    write_cr4(cr4);
    if ((cpuid(0x80000001).edx & (1u << 27)) != 0) write_msr(kMsrTscAux, cpu_number);  // RDTSCP, RDPID
}

ISR_SAFE void set_kernel_stack(void* top) {
    u64 const value = reinterpret_cast<u64>(top);
    percpu_store(kernel_stack_top, value);
    auto* const rsp0 = reinterpret_cast<u64*>(reinterpret_cast<char*>(&cpu_tables) + offsetof(CpuTables, tss) + 4);
    percpu_store(*rsp0, value);
}

void set_syscall_handler(SyscallHandler handler) { syscall_handler = handler; }

}  // namespace tutti::arch
