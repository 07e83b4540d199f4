// SPDX-License-Identifier: BSD-3-Clause
#include "arch/signal_context.hpp"

#include <asm/sigcontext.h>

#include <cstddef>
#include <cstring>

#include "arch/cpu.hpp"
#include "arch/hosted_interrupts.hpp"
#include "arch/memory_layout.hpp"
#include "arch/percpu.hpp"
#include "base/assert.hpp"
#include "base/bits.hpp"
#include "hal/hooks.hpp"

extern "C" {
constinit tutti::u8 aarch64_has_lse = 0;        // read by arch/aarch64/atomics.S
constinit tutti::u8 aarch64_has_pan = 0;        // read by arch/aarch64/user_access.S
extern char hosted_resume_window[];
extern char hosted_resume_window_end[];
}

namespace tutti::arch {
namespace {

constexpr u64 kModeOfKernel = 5;  // EL1h
constexpr u64 kModes = 0xf;

// Linux's struct rt_sigframe.
struct SignalFrame {
    u8 information[128];
    ucontext_t context;
};
struct KernelFrame {
    TrapFrame registers;
    SignalFrame signal;  // for rt_sigreturn; behind the last record nothing
};
static_assert(offsetof(KernelFrame, signal) == 304 && offsetof(SignalFrame, context) == 128);          // signal_entry.S
static_assert(offsetof(ucontext_t, uc_mcontext) == 176 && offsetof(mcontext_t, pc) == 264);            // signal_entry.S
static_assert(offsetof(mcontext_t, regs) == 8);                                                       // signal_entry.S

// The records of other state behind the registers: a head each, the last one empty.
template <class Visit>
size_t each_record(ucontext_t const& context, Visit&& visit) {
    unsigned char const* const records = context.uc_mcontext.__reserved;
    size_t at = 0;
    for (_aarch64_ctx head; at + sizeof head <= sizeof context.uc_mcontext.__reserved; at += head.size) {
        std::memcpy(&head, records + at, sizeof head);
        if (head.magic == 0) return at + 16;
        visit(head.magic, records + at);
    }
    panic("a signal's frame without an end");
}

// Loads and stores (Arm ARM, C4.1, "Loads and Stores"): whether this one writes. Where Linux says so, nobody asks.
bool writes_memory(u32 instruction) {
    bool const load = (instruction >> 22 & 1) != 0;
    switch (instruction >> 27 & 7) {
        case 0b001: return !load || (instruction & 0x3fa0'0000) == 0x08a0'0000;  // exclusive, ordered, SIMD structures; CAS
        case 0b101: return !load;                                                // pairs
        case 0b111:
            if ((instruction & 0x3f20'0c00) == 0x3820'0000) return true;         // atomic read-modify-write
            return (instruction >> 22 & 3) == 0 || (instruction & 0x04c0'0000) == 0x0480'0000;
        default: return false;
    }
}

HostAccess access_at(u64 address, ucontext_t const& context) {
    if (address == instruction_pointer(context)) return HostAccess::Execute;
    u64 syndrome = 0;
    (void)each_record(context, [&](u32 magic, unsigned char const* record) {
        if (magic == ESR_MAGIC) std::memcpy(&syndrome, record + offsetof(esr_context, esr), sizeof syndrome);
    });
    constexpr u64 kWrite = 1 << 6;
    if (syndrome != 0) return (syndrome & kWrite) != 0 ? HostAccess::Write : HostAccess::Read;
    u32 instruction;
    std::memcpy(&instruction, reinterpret_cast<void const*>(instruction_pointer(context)), sizeof instruction);
    return writes_memory(instruction) ? HostAccess::Write : HostAccess::Read;
}

ExceptionClass class_of(int signal) {
    switch (signal) {
        case SIGTRAP: return ExceptionClass::BreakpointInstruction;
        case SIGFPE: return ExceptionClass::FloatingPointException;
        case SIGBUS: return ExceptionClass::SystemError;
        case SIGSEGV: return ExceptionClass::IllegalState;  // a frame that rt_sigreturn does not take
        default: return ExceptionClass::Unknown;
    }
}

}  // namespace

Fault fault_of(int signal, siginfo_t const& information, ucontext_t const& context) {
    bool const missing = signal == SIGSEGV ? information.si_code == SEGV_MAPERR : signal == SIGBUS && information.si_code == BUS_ADRERR;
    bool const forbidden = signal == SIGSEGV && information.si_code == SEGV_ACCERR;
    if (!missing && !forbidden) return {.address = instruction_pointer(context), .kind = class_of(signal)};
    u64 const address = reinterpret_cast<u64>(information.si_addr);
    HostAccess const access = access_at(address, context);
    return {.is_page_fault = true,
            .present = forbidden,
            .access = access,
            .address = address,
            .kind = access == HostAccess::Execute ? ExceptionClass::InstructionAbort : ExceptionClass::DataAbort};
}

TrapFrame frame_of(ucontext_t const& context, bool) {
    mcontext_t const& machine = context.uc_mcontext;
    TrapFrame frame{};
    for (unsigned i = 0; i < 31; ++i) frame.x[i] = machine.regs[i];
    frame.sp = machine.sp;
    frame.elr = machine.pc;
    frame.spsr = (machine.pstate & ~kModes) | kModeOfKernel;
    return frame;
}

TrapFrame frame_of_caller(void* return_address, void* frame_address) {
    TrapFrame frame{};
    frame.elr = reinterpret_cast<u64>(return_address);
    frame.x[29] = *static_cast<u64 const*>(frame_address);
    frame.sp = reinterpret_cast<u64>(frame_address) + 16;
    frame.spsr = kModeOfKernel;
    return frame;
}

void record_fault(TrapFrame& frame, Fault const& fault) {
    constexpr u64 kLongInstruction = 1 << 25;
    constexpr u64 kWrite = 1 << 6;
    constexpr u64 kTranslationFault = 0x07;  // of level 3
    constexpr u64 kPermissionFault = 0x0f;
    frame.far = fault.address;
    frame.esr = static_cast<u64>(fault.kind) << 26 | kLongInstruction;
    if (!fault.is_page_fault) return;
    frame.esr |= fault.present ? kPermissionFault : kTranslationFault;
    if (fault.access == HostAccess::Write) frame.esr |= kWrite;
    // At the guard page of a thread's stack, or of the host thread's, on which the first context of each CPU runs.
    bool const near_stack = fault.address <= frame.sp + kPageSize && fault.address + kPageSize >= frame.sp;
    if (near_stack || (hal::hooks.is_stack_guard != nullptr && hal::hooks.is_stack_guard(VirtAddr{fault.address})))
        frame.kind = static_cast<u64>(TrapKind::StackOverflow);
}

TrapFrame* push_kernel_frame(ucontext_t const& context, Fault const& fault) {
    size_t const records = each_record(context, [](u32 magic, unsigned char const*) {
        CHECK(magic != EXTRA_MAGIC, "this host's signal frames are in several pieces");
    });
    auto* const frame = reinterpret_cast<KernelFrame*>(align_down(stack_pointer(context) - sizeof(KernelFrame), 16));
    frame->registers = frame_of(context, false);
    if (fault.is_page_fault) record_fault(frame->registers, fault);
    ucontext_t& copy = frame->signal.context;
    std::memcpy(static_cast<void*>(&copy), &context, offsetof(ucontext_t, uc_mcontext) + offsetof(mcontext_t, __reserved) + records);
    // The way back leaves the alternate stack as it is, of whichever CPU: such flags are an error, which nobody reports.
    constexpr int kNoSuchMode = SS_ONSTACK | SS_DISABLE | 4;
    copy.uc_stack.ss_flags = kNoSuchMode;
    // Interrupted on the way back from the interrupt before: that must begin anew, perhaps on another CPU.
    if (copy.uc_mcontext.pc >= reinterpret_cast<u64>(hosted_resume_window) &&
        copy.uc_mcontext.pc < reinterpret_cast<u64>(hosted_resume_window_end))
        copy.uc_mcontext.pc = reinterpret_cast<u64>(hosted_resume_window);
    return &frame->registers;
}

void go_on_at(TrapFrame& frame, u64 address) { reinterpret_cast<KernelFrame&>(frame).signal.context.uc_mcontext.pc = address; }

void processor_init() { aarch64_has_lse = (read_isar0() >> 20 & 0xf) >= 2; }
void processor_init_cpu() {}

}  // namespace tutti::arch
