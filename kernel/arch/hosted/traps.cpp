// SPDX-License-Identifier: BSD-3-Clause
#include "arch/traps.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "arch/crash_report.hpp"
#include "arch/host_call.hpp"
#include "arch/hosted_interrupts.hpp"
#include "arch/user_access.hpp"
#include "base/assert.hpp"
#include "hal/console.hpp"
#include "hal/hooks.hpp"

extern "C" {
void hosted_signal_entry();
void hosted_signal_restorer();
// Code of the portable layers (linuxu.ld).
extern char __text_start[];
extern char __portable_text_end[];
}

namespace tutti::arch {
namespace {

constexpr size_t kExceptionStackSize = 64 << 10;

// What the kernel's system call wants (asm/signal.h), not the C library's.
struct KernelSigaction {
    void (*handler)();
    u64 flags;
    void (*restorer)();
    u64 mask;
};
constexpr u64 kRestorer = 0x04000000;

constexpr u64 bit_of(int signal) { return u64{1} << (signal - 1); }
constexpr u64 kAllOurs = bit_of(kInterruptSignal) | bit_of(kTimerSignal) | bit_of(kNmiSignal);

void handle(int signal, u64 flags, u64 mask) {
    KernelSigaction const action{&hosted_signal_entry, flags | SA_SIGINFO | kRestorer, &hosted_signal_restorer, mask};
    i64 const result = host_call(SYS_rt_sigaction, static_cast<u64>(signal), host_argument(&action), 0, sizeof action.mask);
    CHECK(result == 0, "rt_sigaction({}) fails: {}", signal, result);
}

TrapFrame frame_of(ucontext_t const& context) {
    greg_t const* const r = context.uc_mcontext.gregs;
    auto const of = [&](int index) { return static_cast<u64>(r[index]); };
    return {.r15 = of(REG_R15), .r14 = of(REG_R14), .r13 = of(REG_R13), .r12 = of(REG_R12), .rbp = of(REG_RBP),
            .rbx = of(REG_RBX), .r11 = of(REG_R11), .r10 = of(REG_R10), .r9 = of(REG_R9), .r8 = of(REG_R8),
            .rax = of(REG_RAX), .rcx = of(REG_RCX), .rdx = of(REG_RDX), .rsi = of(REG_RSI), .rdi = of(REG_RDI),
            .vector = of(REG_TRAPNO), .error_code = of(REG_ERR), .rip = of(REG_RIP), .cs = kKernelCodeSelector,
            .rflags = of(REG_EFL), .rsp = of(REG_RSP), .ss = kKernelDataSelector};
}

// A sanitizer's code may hold its locks, and the handlers would call it again. Such an interrupt is taken a little later
// (__sanitizer_cov_trace_pc). Without sanitizers every place will do: what the kernel calls in the C library are pure
// functions, and system calls go on after the signal.
bool may_interrupt([[maybe_unused]] u64 rip) {
#if TUTTI_HOSTED_SANITIZER
    return rip >= reinterpret_cast<u64>(__text_start) && rip < reinterpret_cast<u64>(__portable_text_end);
#else
    return true;
#endif
}

void on_nmi(ucontext_t const& context) {
    TrapFrame frame = frame_of(context);
    if (!may_interrupt(frame.rip))
        hold_nmi_back();
    else if (hal::hooks.nmi == nullptr || !hal::hooks.nmi(frame))
        hal::early_console_write("unexpected NMI\n");
}

[[noreturn]] void on_exception(ucontext_t const& context) {
    disable_interrupts();
    static constinit char text[200];  // the panic's are one at a time, too
    TrapFrame const frame = frame_of(context);
    percpu_store(fatal_frame_of_cpu, &frame);
    VirtAddr const address{frame.vector == kVectorPageFault ? static_cast<u64>(context.uc_mcontext.gregs[REG_CR2])
                                                            : frame.rip};
    panic_formatted(describe_exception(text, frame, address), nullptr, 0);
}

}  // namespace

void traps_init() {
    // Not masked while their handlers run: the interrupt flag does that, and a handler may be switched away from.
    handle(kInterruptSignal, SA_NODEFER | SA_RESTART, 0);
    handle(kTimerSignal, SA_NODEFER | SA_RESTART, 0);
    handle(kNmiSignal, SA_ONSTACK | SA_RESTART, kAllOurs);
    for (int const signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP}) handle(signal, SA_ONSTACK | SA_NODEFER, kAllOurs & ~bit_of(kNmiSignal));
}

void traps_init_cpu() {
    // What the GS base is: percpu_install() has set it.
    constexpr u64 kArchGetGs = 0x1004;
    u64 base = 0;
    host_call(SYS_arch_prctl, kArchGetGs, host_argument(&base));
    percpu_store(percpu_base_self, base);
    set_thread_id(static_cast<u32>(host_call(SYS_gettid)));
    i64 const stack = host_call(SYS_mmap, 0, kExceptionStackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                                ~u64{0}, 0);
    CHECK(stack > 0, "no memory for an exception stack");
    stack_t const alternate{.ss_sp = reinterpret_cast<void*>(stack), .ss_flags = 0, .ss_size = kExceptionStackSize};
    host_call(SYS_sigaltstack, host_argument(&alternate), 0);
}

std::string_view describe_exception(std::span<char> buffer, TrapFrame const& frame, VirtAddr address) {
    if (frame.vector != kVectorPageFault)
        return format_to(buffer, "{} (vector {}, error {:#x}) at {}", exception_name(static_cast<unsigned>(frame.vector)),
                         frame.vector, frame.error_code, VirtAddr{frame.rip});
    // At the guard page of a thread's stack, or of the host thread's, on which the first context of each CPU runs.
    bool const near_stack = address.value() <= frame.rsp + kPageSize && address.value() + kPageSize >= frame.rsp;
    if (near_stack || (hal::hooks.is_stack_guard != nullptr && hal::hooks.is_stack_guard(address)))
        return format_to(buffer, "kernel stack overflow: the stack pointer is {}, the address {} is not mapped",
                         VirtAddr{frame.rsp}, address);
    bool const present = (frame.error_code & 1) != 0;
    char const* const what = (frame.error_code & 16) != 0  ? "execution of"
                             : (frame.error_code & 2) != 0 ? "write to"
                                                           : "read of";
    char const* const why = address.value() < kPageSize ? "a null pointer"
                            : present                   ? "which does not allow that"
                                                        : "where nothing is mapped";
    return format_to(buffer, "page fault: {} {}, {} (error {:#x})", what, address, why, frame.error_code);
}

size_t copy_probe(void* to, u64 from, size_t size) {
    struct {
        u64 base;
        u64 length;
    } const local{host_argument(to), size}, remote{from, size};
    i64 const copied = host_call(SYS_process_vm_readv, static_cast<u64>(host_call(SYS_getpid)), host_argument(&local), 1,
                                 host_argument(&remote), 1, 0);
    return copied == static_cast<i64>(size) ? 0 : size;
}

}  // namespace tutti::arch

using namespace tutti;
using namespace tutti::arch;

extern "C" void hosted_signal(int signal, siginfo_t* information, void* pointer) {
    auto& context = *static_cast<ucontext_t*>(pointer);
    if (signal == kNmiSignal) {
        on_nmi(context);
        return;
    }
    if (signal != kInterruptSignal && signal != kTimerSignal) on_exception(context);
    if (signal == kTimerSignal) post_interrupt_unannounced(information->si_value.sival_ptr, Interrupt::Timer);
    TrapFrame frame = frame_of(context);
    if (!interrupts_enabled() || !may_interrupt(frame.rip)) return;
    // The return from the signal would give this CPU the exception stack of the CPU where it came. Values that the
    // kernel refuses leave the stack as it is.
    context.uc_stack.ss_flags = ~0;
    frame.vector = kFirstInterruptVector;
    take_interrupts(frame);
}
