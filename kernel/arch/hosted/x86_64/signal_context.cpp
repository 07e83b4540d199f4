// SPDX-License-Identifier: BSD-3-Clause
#include "arch/signal_context.hpp"

#include <cstddef>

#include "arch/cpu.hpp"
#include "arch/fpu.hpp"
#include "arch/memory_layout.hpp"
#include "arch/traps.hpp"
#include "base/bits.hpp"

namespace tutti::arch {
namespace {

constexpr u64 kRedZone = 128;

// Bits of a page fault's error code (Intel SDM vol. 3, figure 4-12).
constexpr u64 kFaultPresent = 1;
constexpr u64 kFaultWrite = 2;
constexpr u64 kFaultUser = 4;
constexpr u64 kFaultFetch = 16;

struct KernelFrame {
    TrapFrame registers;
    u64 address;  // of a page fault
    u64 padding;
    u8 fpu[];
};
static_assert(offsetof(KernelFrame, fpu) == 192);  // signal_entry.S

}  // namespace

Fault fault_of(int, siginfo_t const&, ucontext_t const& context) {
    if (reg(context, REG_TRAPNO) != kVectorPageFault) return {.address = instruction_pointer(context)};
    u64 const error_code = reg(context, REG_ERR);
    return {.is_page_fault = true,
            .present = true,  // what Linux says is about its own page tables
            .access = (error_code & kFaultFetch) != 0   ? HostAccess::Execute
                      : (error_code & kFaultWrite) != 0 ? HostAccess::Write
                                                        : HostAccess::Read,
            .address = reg(context, REG_CR2)};
}

TrapFrame frame_of(ucontext_t const& context, bool user) {
    auto const of = [&](int index) { return reg(context, index); };
    return {.r15 = of(REG_R15), .r14 = of(REG_R14), .r13 = of(REG_R13), .r12 = of(REG_R12), .rbp = of(REG_RBP),
            .rbx = of(REG_RBX), .r11 = of(REG_R11), .r10 = of(REG_R10), .r9 = of(REG_R9), .r8 = of(REG_R8),
            .rax = of(REG_RAX), .rcx = of(REG_RCX), .rdx = of(REG_RDX), .rsi = of(REG_RSI), .rdi = of(REG_RDI),
            .vector = of(REG_TRAPNO), .error_code = of(REG_ERR), .rip = of(REG_RIP),
            .cs = user ? kUserCodeSelector : kKernelCodeSelector, .rflags = of(REG_EFL), .rsp = of(REG_RSP),
            .ss = user ? kUserDataSelector : kKernelDataSelector};
}

TrapFrame frame_of_caller(void* return_address, void* frame_address) {
    TrapFrame frame{};
    frame.rip = reinterpret_cast<u64>(return_address);
    frame.rbp = *static_cast<u64 const*>(frame_address);
    frame.rsp = reinterpret_cast<u64>(frame_address) + 16;
    frame.rflags = kFlagInterrupt;
    frame.cs = kKernelCodeSelector;
    return frame;
}

void record_fault(TrapFrame& frame, Fault const& fault) {
    if (!fault.is_page_fault) return;
    frame.error_code &= ~(kFaultPresent | kFaultUser);
    if (fault.present) frame.error_code |= kFaultPresent;
    if (frame.is_user()) frame.error_code |= kFaultUser;
}

hal::FaultAccess fault_access(TrapFrame const& frame) {
    return {.write = (frame.error_code & kFaultWrite) != 0,
            .execute = (frame.error_code & kFaultFetch) != 0,
            .user = (frame.error_code & kFaultUser) != 0,
            .present = (frame.error_code & kFaultPresent) != 0};
}

TrapFrame* push_kernel_frame(ucontext_t const& context, Fault const& fault) {
    u64 const size = sizeof(KernelFrame) + fpu_area_size();
    auto* const frame = reinterpret_cast<KernelFrame*>(align_down(stack_pointer(context) - kRedZone - size, 64));
    frame->registers = frame_of(context, false);
    frame->address = fault.address;
    record_fault(frame->registers, fault);
    fpu_copy(frame->fpu, context.uc_mcontext.fpregs);
    return &frame->registers;
}

u64 kernel_fault_address(TrapFrame const& frame) { return reinterpret_cast<KernelFrame const&>(frame).address; }
void go_on_at(TrapFrame& frame, u64 address) { frame.rip = address; }

}  // namespace tutti::arch
