// SPDX-License-Identifier: BSD-3-Clause
#include "arch/traps.hpp"

#include <sys/syscall.h>

#include "arch/cpu.hpp"
#include "arch/crash_report.hpp"
#include "arch/host_call.hpp"
#include "arch/host_memory.hpp"
#include "arch/host_tlb.hpp"
#include "arch/hosted_interrupts.hpp"
#include "arch/memory_layout.hpp"
#include "arch/user_access.hpp"
#include "base/assert.hpp"
#include "base/bits.hpp"
#include "hal/console.hpp"
#include "hal/hooks.hpp"

extern "C" {
TUTTI_PERCPU tutti::u64 hosted_kernel_stack = 0;

void hosted_signal_entry();
void hosted_signal_restorer();
void hosted_interrupted_kernel();
void hosted_faulted_kernel();
// Code of the portable layers (linuxu.ld).
extern char __text_start[];
extern char __portable_text_end[];
}

namespace tutti::arch {
namespace {

constexpr u64 kEntryStackSize = 64 << 10;  // and its alignment; signal_entry.S

TUTTI_PERCPU u64 entry_stack = 0;
// What the kernel's system call wants (asm/signal.h), not the C library's.
struct KernelSigaction {
    void (*handler)();
    u64 flags;
    void (*restorer)();
    u64 mask;
};
constexpr u64 kRestorer = 0x04000000;

constexpr u64 bit_of(int signal) { return u64{1} << (signal - 1); }
constexpr u64 kInterrupts = bit_of(kInterruptSignal) | bit_of(kTimerSignal);

Origin origin_of(ucontext_t const& context) {
    if (stack_pointer(context) - percpu_load(entry_stack) <= kEntryStackSize) return Origin::Signal;
    if constexpr (kUserPrograms) return program_origin(context);
    return Origin::Kernel;
}

void handle(int signal, u64 flags, u64 mask) {
    KernelSigaction const action{&hosted_signal_entry, flags | SA_SIGINFO | SA_ONSTACK | kRestorer, &hosted_signal_restorer,
                                 mask};
    i64 const result = host_call(SYS_rt_sigaction, static_cast<u64>(signal), host_argument(&action), 0, sizeof action.mask);
    CHECK(result == 0, "rt_sigaction({}) fails: {}", signal, result);
}

// A sanitizer's code may hold its locks, and the handlers would call it again. Such an interrupt is taken a little later
// (__sanitizer_cov_trace_pc). Without sanitizers every place will do: what the kernel calls in the C library are pure
// functions, and system calls go on after the signal.
bool may_interrupt([[maybe_unused]] u64 address) {
#if TUTTI_HOSTED_SANITIZER
    return address >= reinterpret_cast<u64>(__text_start) && address < reinterpret_cast<u64>(__portable_text_end);
#else
    return true;
#endif
}

void on_nmi(ucontext_t const& context, Origin origin) {
    if (!may_interrupt(instruction_pointer(context))) return hold_nmi_back();
    TrapFrame frame = frame_of(context, origin == Origin::User);
    if (hal::hooks.nmi == nullptr || !hal::hooks.nmi(frame)) hal::early_console_write("unexpected NMI\n");
}

Onward on_interrupt(ucontext_t& context, Origin origin) {
    if (origin == Origin::Signal) return kBack;
    if constexpr (kUserPrograms)
        if (origin != Origin::Kernel) return interrupt_of_program(context, origin);
    if (!interrupts_enabled() || !may_interrupt(instruction_pointer(context))) return kBack;
    set_own_word(hosted_interrupt_flag, 0);
    return {push_kernel_frame(context, {}), &hosted_interrupted_kernel};
}

HostAccess host_access(hal::FaultAccess access) {
    return access.execute ? HostAccess::Execute : access.write ? HostAccess::Write : HostAccess::Read;
}

// The flag is clear, and interrupts are masked until the continuation's time, so that nothing is missed on the way back.
Onward on_exception(ucontext_t& context, Origin origin, Fault const& fault) {
    bool const user_half = fault.is_page_fault && fault.address < kUserEnd;
    bool const of_program = origin == Origin::User || origin == Origin::Leaving;
    u64 const fixup = of_program ? 0 : find_fixup(instruction_pointer(context));
    if (user_half && (origin == Origin::User || fixup != 0) && host_tlb_fill(fault.address, fault.access)) return kBack;
    if constexpr (kUserPrograms)
        if (of_program) return exception_of_program(context, origin, fault);
    if (fixup != 0) {
        // With interrupts off nothing is fetched: the access fails over to its fix-up.
        set_instruction_pointer(context, fixup);
        return kBack;
    }
    TrapFrame frame = frame_of(context, false);
    record_fault(frame, fault);
    die(frame, fault.address);
}

// A page of the program that a function of user_access.S wants, called where a page may be fetched.
bool is_fetch_by_kernel(ucontext_t const& context, Origin origin, Fault const& fault) {
    return origin == Origin::Kernel && fault.is_page_fault && fault.address < kUserEnd && hal::hooks.page_fault != nullptr &&
           find_fixup(instruction_pointer(context)) != 0;
}

}  // namespace

void unmask(ucontext_t const& context) {
    host_call(SYS_rt_sigprocmask, SIG_SETMASK, host_argument(&context.uc_sigmask), 0, sizeof(u64));
}

void die(TrapFrame const& frame, u64 address) {
    disable_interrupts();
    static constinit char text[200];  // the panic's are one at a time, too
    percpu_store(fatal_frame_of_cpu, &frame);
    panic_formatted(describe_exception(text, frame, VirtAddr{address}), nullptr, 0);
}

bool resolve_page_fault(TrapFrame& frame, u64 address) {
    hal::FaultAccess const access = fault_access(frame);
    enable_interrupts();
    bool const resolved = hal::hooks.page_fault(frame, VirtAddr{address}, access);
    disable_interrupts();
    // Spares the fault that would find it.
    if (resolved) (void)host_tlb_fill(address, host_access(access));
    return resolved;
}

void traps_init() {
    processor_init();
    // Nothing is masked while handlers of interrupts and system calls run: the interrupt flag does that, and they do not
    // come back to Linux. What comes meanwhile finds their frame on the entry stack, sets its bit and returns.
    handle(kInterruptSignal, SA_NODEFER | SA_RESTART, 0);
    handle(kTimerSignal, SA_NODEFER | SA_RESTART, 0);
    if (kUserPrograms) handle(SIGSYS, SA_NODEFER | SA_RESTART, 0);
    handle(kNmiSignal, SA_RESTART, kInterrupts);
    for (int const signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP}) handle(signal, SA_NODEFER | SA_RESTART, kInterrupts);
}

void traps_init_cpu() {
    processor_init_cpu();
    set_thread_id(static_cast<u32>(host_call(SYS_gettid)));
    u64 const stack = align_up(host_memory(2 * kEntryStackSize), kEntryStackSize);
    *reinterpret_cast<u64*>(stack) = percpu_base();
    percpu_store(entry_stack, stack);
    stack_t const alternate{.ss_sp = reinterpret_cast<void*>(stack), .ss_flags = 0, .ss_size = kEntryStackSize};
    host_call(SYS_sigaltstack, host_argument(&alternate), 0);
    // Whatever the thread has from whoever started it. Under qemu-user a new thread has everything masked if a signal hits
    // the clone().
    u64 const nothing = 0;
    host_call(SYS_rt_sigprocmask, SIG_SETMASK, host_argument(&nothing), 0, sizeof nothing);
}

}  // namespace tutti::arch

using namespace tutti;
using namespace tutti::arch;

// By its name: it returns a C++ type in two registers.
Onward hosted_signal(int signal, siginfo_t* information, void* pointer) asm("hosted_signal");

Onward hosted_signal(int signal, siginfo_t* information, void* pointer) {
    auto& context = *static_cast<ucontext_t*>(pointer);
    Origin const origin = origin_of(context);
    switch (signal) {
        case kNmiSignal: on_nmi(context, origin); return kBack;
        case kTimerSignal: post_interrupt_here(Interrupt::Timer); return on_interrupt(context, origin);
        case kInterruptSignal: return on_interrupt(context, origin);
        case SIGSYS:
            if constexpr (kUserPrograms)
                if (origin == Origin::User) return system_call_of_program(context, *information);
            die(frame_of(context, false), 0);
        default: break;
    }
    Fault fault = fault_of(signal, *information, context);
    // The flag is what fills' locks look at.
    u32 const flag = own_word(hosted_interrupt_flag);
    set_own_word(hosted_interrupt_flag, 0);
    if (fault.is_page_fault && fault.address < kUserEnd) fault.present = host_tlb_is_present(fault.address);
    if (flag != 0 && is_fetch_by_kernel(context, origin, fault)) {
        if (!host_tlb_fill(fault.address, fault.access)) {
            TrapFrame* const frame = push_kernel_frame(context, fault);
            unmask(context);
            return {frame, &hosted_faulted_kernel};
        }
    } else if (Onward const onward = on_exception(context, origin, fault); onward.stack != nullptr) {
        return onward;
    }
    set_own_word(hosted_interrupt_flag, flag);
    return kBack;
}

extern "C" {

// Interrupts off.
void hosted_take_interrupts_in(TrapFrame* frame) { take_interrupts(*frame); }

void hosted_resolve_kernel_fault(TrapFrame* frame) {
    if (!resolve_page_fault(*frame, kernel_fault_address(*frame))) go_on_at(*frame, find_fixup(frame->instruction_pointer().value()));
    enable_interrupts();
}
}
