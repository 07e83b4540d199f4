// SPDX-License-Identifier: BSD-3-Clause
#include "arch/traps.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "arch/crash_report.hpp"
#include "arch/fpu.hpp"
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
TUTTI_PERCPU tutti::u64 hosted_user_gs = 0;
TUTTI_PERCPU tutti::u32 hosted_in_user = 0;        // not in the kernel, but for signal handlers that have just begun
TUTTI_PERCPU tutti::u64 hosted_leaving_frame = 0;  // of the way back to user mode
constinit bool hosted_has_fsgsbase = false;
constinit tutti::arch::SyscallHandler syscall_handler = nullptr;

void hosted_signal_entry();
void hosted_signal_restorer();
void hosted_from_user();
void hosted_interrupted_kernel();
void hosted_faulted_kernel();
void hosted_leave();
extern char hosted_leave_window[];
extern char hosted_leave_window_end[];
// Code of the portable layers (linuxu.ld).
extern char __text_start[];
extern char __portable_text_end[];
extern char __text_end[];
}

namespace tutti::arch {

// Where the handler that Linux has called goes on. Without a stack it returns to what the signal interrupted; then
// `continuation` says whether with the kernel's GS base or the one it had.
struct Onward {
    void* stack = nullptr;
    void (*continuation)() = nullptr;
};

namespace {

constexpr u64 kEntryStackSize = 64 << 10;  // and its alignment; signal_entry.S
constexpr u64 kRedZone = 128;

TUTTI_PERCPU u64 entry_stack = 0;
TUTTI_PERCPU u64 entry_address = 0;  // what the exception that comes from user mode is about; interrupts off
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

constexpr Onward kBack{};
Onward back_with_own_gs() { return {nullptr, &hosted_leave}; }

// What a signal interrupted.
enum class Origin : u8 {
    User,
    Kernel,
    Leaving,  // on the way back to user mode, which can begin anew
    Signal,   // a handler on this stack, which has not decided anything yet or will look again
};

u64 reg(ucontext_t const& context, int index) { return static_cast<u64>(context.uc_mcontext.gregs[index]); }

Origin origin_of(ucontext_t const& context) {
    u64 const sp = reg(context, REG_RSP);
    u64 const ip = reg(context, REG_RIP);
    if (sp - percpu_load(entry_stack) <= kEntryStackSize) return Origin::Signal;
    if (ip >= reinterpret_cast<u64>(hosted_leave_window) && ip < reinterpret_cast<u64>(hosted_leave_window_end))
        return Origin::Leaving;
    return percpu_load(hosted_in_user) != 0 ? Origin::User : Origin::Kernel;
}

void handle(int signal, u64 flags, u64 mask) {
    KernelSigaction const action{&hosted_signal_entry, flags | SA_SIGINFO | SA_ONSTACK | kRestorer, &hosted_signal_restorer,
                                 mask};
    i64 const result = host_call(SYS_rt_sigaction, static_cast<u64>(signal), host_argument(&action), 0, sizeof action.mask);
    CHECK(result == 0, "rt_sigaction({}) fails: {}", signal, result);
}

// What the handler's mask kept back comes now; it finds us on the entry stack.
void unmask(ucontext_t const& context) {
    host_call(SYS_rt_sigprocmask, SIG_SETMASK, host_argument(&context.uc_sigmask), 0, sizeof(u64));
}

void clear_interrupt_flag() { asm volatile("movl $0, %%gs:%0" : "=m"(hosted_interrupt_flag)::"memory"); }
void write_interrupt_flag(u32 value) { asm volatile("movl %1, %%gs:%0" : "=m"(hosted_interrupt_flag) : "r"(value) : "memory"); }

TrapFrame frame_of(ucontext_t const& context, Origin origin) {
    auto const of = [&](int index) { return reg(context, index); };
    bool const user = origin == Origin::User;
    return {.r15 = of(REG_R15), .r14 = of(REG_R14), .r13 = of(REG_R13), .r12 = of(REG_R12), .rbp = of(REG_RBP),
            .rbx = of(REG_RBX), .r11 = of(REG_R11), .r10 = of(REG_R10), .r9 = of(REG_R9), .r8 = of(REG_R8),
            .rax = of(REG_RAX), .rcx = of(REG_RCX), .rdx = of(REG_RDX), .rsi = of(REG_RSI), .rdi = of(REG_RDI),
            .vector = of(REG_TRAPNO), .error_code = of(REG_ERR), .rip = of(REG_RIP),
            .cs = user ? kUserCodeSelector : kKernelCodeSelector, .rflags = of(REG_EFL), .rsp = of(REG_RSP),
            .ss = user ? kUserDataSelector : kKernelDataSelector};
}

// A frame for the kernel's stack: the registers of interrupted kernel code.
struct KernelFrame {
    TrapFrame registers;
    u64 address;  // of a page fault
    u64 padding;
    u8 fpu[];
};
static_assert(offsetof(KernelFrame, fpu) == 192);  // signal_entry.S

TrapFrame* frame_on_interrupted_stack(ucontext_t const& context, u64 address) {
    u64 const size = sizeof(KernelFrame) + fpu_area_size();
    auto* const frame = reinterpret_cast<KernelFrame*>(align_down(reg(context, REG_RSP) - kRedZone - size, 64));
    frame->registers = frame_of(context, Origin::Kernel);
    frame->address = address;
    fpu_copy(frame->fpu, context.uc_mcontext.fpregs);
    return &frame->registers;
}

// Interrupts are off then.
Onward enter_from_user(ucontext_t const& context, u64 vector, u64 error_code, u64 address) {
    percpu_store(hosted_in_user, 0u);
    clear_interrupt_flag();
    TrapFrame* const frame = reinterpret_cast<TrapFrame*>(percpu_load(hosted_kernel_stack)) - 1;
    *frame = frame_of(context, Origin::User);
    frame->vector = vector;
    frame->error_code = error_code;
    fpu_copy(reinterpret_cast<void*>(percpu_load(hosted_user_fpu)), context.uc_mcontext.fpregs);
    percpu_store(entry_address, address);
    return {frame, &hosted_from_user};
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

void on_nmi(ucontext_t const& context, Origin origin) {
    TrapFrame frame = frame_of(context, origin);
    if (!may_interrupt(frame.rip))
        hold_nmi_back();
    else if (hal::hooks.nmi == nullptr || !hal::hooks.nmi(frame))
        hal::early_console_write("unexpected NMI\n");
}

Onward on_interrupt(ucontext_t& context, Origin origin) {
    switch (origin) {
        case Origin::Signal: return kBack;
        case Origin::User: return enter_from_user(context, kFirstInterruptVector, 0, 0);
        case Origin::Leaving:
            percpu_store(hosted_in_user, 0u);
            context.uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(reinterpret_cast<u64>(&hosted_leave));
            context.uc_mcontext.gregs[REG_RSP] = static_cast<greg_t>(percpu_load(hosted_leaving_frame));
            return back_with_own_gs();
        case Origin::Kernel: break;
    }
    if (!interrupts_enabled() || !may_interrupt(reg(context, REG_RIP))) return kBack;
    clear_interrupt_flag();
    return {frame_on_interrupted_stack(context, 0), &hosted_interrupted_kernel};
}

[[noreturn]] void die(TrapFrame const& frame, u64 address) {
    disable_interrupts();
    static constinit char text[200];  // the panic's are one at a time, too
    percpu_store(fatal_frame_of_cpu, &frame);
    panic_formatted(describe_exception(text, frame, VirtAddr{address}), nullptr, 0);
}

constexpr u64 kIntSize = 2;
constexpr u64 kInt80ErrorCode = 0x80 << 3 | 2;  // an IDT entry

// Bits of a page fault's error code (Intel SDM vol. 3, figure 4-12).
constexpr u64 kFaultPresent = 1;
constexpr u64 kFaultWrite = 2;
constexpr u64 kFaultUser = 4;
constexpr u64 kFaultFetch = 16;

HostAccess access_of(u64 error_code) {
    return (error_code & kFaultFetch) != 0   ? HostAccess::Execute
           : (error_code & kFaultWrite) != 0 ? HostAccess::Write
                                             : HostAccess::Read;
}

bool resolve_page_fault(TrapFrame& frame, u64 address) {
    hal::FaultAccess const access{.write = (frame.error_code & kFaultWrite) != 0,
                                  .execute = (frame.error_code & kFaultFetch) != 0,
                                  .user = (frame.error_code & kFaultUser) != 0,
                                  .present = (frame.error_code & kFaultPresent) != 0};
    enable_interrupts();
    bool const resolved = hal::hooks.page_fault(frame, VirtAddr{address}, access);
    disable_interrupts();
    // Spares the fault that would find it.
    if (resolved) (void)host_tlb_fill(address, access_of(frame.error_code));
    return resolved;
}

// The flag is clear, and interrupts are masked until the continuation's time, so that nothing is missed on the way back.
Onward on_exception(ucontext_t& context, Origin origin) {
    u64 const vector = reg(context, REG_TRAPNO);
    bool const is_page_fault = vector == kVectorPageFault;
    u64 address = is_page_fault ? reg(context, REG_CR2) : reg(context, REG_RIP);
    u64 error_code = reg(context, REG_ERR);
    bool const user_half = is_page_fault && address < kUserEnd;
    if (is_page_fault) {
        // What Linux says is about its own page tables.
        error_code &= ~(kFaultPresent | kFaultUser);
        if (origin == Origin::User) error_code |= kFaultUser;
        if (!user_half || host_tlb_is_present(address)) error_code |= kFaultPresent;
    }
    u64 const fixup = origin == Origin::User || origin == Origin::Leaving ? 0 : find_fixup(reg(context, REG_RIP));
    if (user_half && (origin == Origin::User || fixup != 0) && host_tlb_fill(address, access_of(error_code))) return kBack;
    if (origin == Origin::User) {
        Onward const onward = enter_from_user(context, vector, error_code, address);
        unmask(context);
        return onward;
    }
    if (origin == Origin::Leaving) {  // the frame has what IRET does not take
        auto* const frame = reinterpret_cast<TrapFrame*>(percpu_load(hosted_leaving_frame));
        percpu_store(hosted_in_user, 0u);
        frame->vector = vector;
        frame->error_code = error_code;
        // Still a program's frame if it was the selector that was bad.
        frame->cs = kUserCodeSelector;
        frame->ss = kUserDataSelector;
        percpu_store(entry_address, frame->rip);
        unmask(context);
        return {frame, &hosted_from_user};
    }
    if (fixup != 0) {
        // With interrupts off nothing is fetched: the access fails over to its fix-up.
        context.uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(fixup);
        return kBack;
    }
    TrapFrame frame = frame_of(context, origin);
    frame.error_code = error_code;
    die(frame, address);
}

// A page of the program that a function of user_access.S wants, called where a page may be fetched.
bool is_fetch_by_kernel(ucontext_t const& context, Origin origin) {
    return origin == Origin::Kernel && reg(context, REG_TRAPNO) == kVectorPageFault && reg(context, REG_CR2) < kUserEnd &&
           hal::hooks.page_fault != nullptr && find_fixup(reg(context, REG_RIP)) != 0;
}

u64 auxiliary_value(u64 type) {
    i64 const file = host_call(SYS_open, host_argument("/proc/self/auxv"), O_RDONLY | O_CLOEXEC);
    u64 pair[2]{};
    while (file >= 0 && host_call(SYS_read, static_cast<u64>(file), host_argument(pair), sizeof pair) == sizeof pair)
        if (pair[0] == type) break;
    if (file >= 0) host_call(SYS_close, static_cast<u64>(file));
    return pair[0] == type ? pair[1] : 0;
}

}  // namespace

void traps_init() {
    constexpr u64 kHwcap2FsGsBase = 2;
    hosted_has_fsgsbase = (auxiliary_value(AT_HWCAP2) & kHwcap2FsGsBase) != 0;
    fpu_init();
    // Nothing is masked while handlers of interrupts and system calls run: the interrupt flag does that, and they do not
    // come back to Linux. What comes meanwhile finds their frame on the entry stack, sets its bit and returns.
    handle(kInterruptSignal, SA_NODEFER | SA_RESTART, 0);
    handle(kTimerSignal, SA_NODEFER | SA_RESTART, 0);
    handle(SIGSYS, SA_NODEFER | SA_RESTART, 0);
    handle(kNmiSignal, SA_RESTART, kInterrupts);
    for (int const signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP}) handle(signal, SA_NODEFER | SA_RESTART, kInterrupts);
}

void traps_init_cpu() {
    // What the GS base is: percpu_install() has set it.
    constexpr u64 kArchGetGs = 0x1004;
    u64 base = 0;
    host_call(SYS_arch_prctl, kArchGetGs, host_argument(&base));
    percpu_store(percpu_base_self, base);
    set_thread_id(static_cast<u32>(host_call(SYS_gettid)));
    u64 const stack = align_up(host_memory(2 * kEntryStackSize), kEntryStackSize);
    *reinterpret_cast<u64*>(stack) = base;
    percpu_store(entry_stack, stack);
    stack_t const alternate{.ss_sp = reinterpret_cast<void*>(stack), .ss_flags = 0, .ss_size = kEntryStackSize};
    host_call(SYS_sigaltstack, host_argument(&alternate), 0);
    percpu_store(hosted_user_fpu, host_memory(fpu_area_size()));
}

void dispatch_system_calls() {
    constexpr u64 kSetDispatch = 59;  // PR_SET_SYSCALL_USER_DISPATCH: without a selector, all but a range of code
    constexpr u64 kOn = 1;
    u64 const start = reinterpret_cast<u64>(__text_start);
    u64 const size = static_cast<u64>(__text_end - __text_start);
    if (host_call(SYS_prctl, kSetDispatch, kOn, start, size, 0) == 0) return;
    // Linux before 5.11: a filter that knows the upper half of the image's addresses.
    sock_filter code[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, instruction_pointer) + 4},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<u32>(start >> 32)},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_TRAP},
    };
    sock_fprog const program{.len = sizeof code / sizeof code[0], .filter = code};
    host_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    i64 const result = host_call(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, host_argument(&program));
    CHECK(result == 0, "this host has neither syscall user dispatch nor seccomp filters: programs cannot run");
}

void set_syscall_handler(SyscallHandler handler) { syscall_handler = handler; }

void set_user_fs_base(u64 base) {
    constexpr u64 kArchSetFs = 0x1002;
    if (hosted_has_fsgsbase)
        asm volatile("wrfsbaseq %0" ::"r"(base) : "memory");
    else
        host_call(SYS_arch_prctl, kArchSetFs, base);
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
                            : address.value() < kUserEnd ? "the program's memory, outside the copy functions"
                            : present                    ? "which does not allow that"
                                                         : "where nothing is mapped";
    return format_to(buffer, "page fault: {} {}, {} (error {:#x})", what, address, why, frame.error_code);
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
        case SIGSYS: {
            if (origin != Origin::User) die(frame_of(context, origin), 0);
            if (information->si_arch == AUDIT_ARCH_X86_64)
                return enter_from_user(context, kSyscallVector, reg(context, REG_RAX), 0);
            // INT 0x80, which Linux has for 32-bit programs.
            u64 const ip = reg(context, REG_RIP) - kIntSize;
            context.uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(ip);
            return enter_from_user(context, kVectorGeneralProtection, kInt80ErrorCode, ip);
        }
        default: break;
    }
    // The flag is what fills' locks look at.
    u32 const flag = static_cast<u32>(read_interrupt_flag());
    clear_interrupt_flag();
    if (flag != 0 && is_fetch_by_kernel(context, origin)) {
        u64 const address = reg(context, REG_CR2);
        if (!host_tlb_fill(address, access_of(reg(context, REG_ERR)))) {
            TrapFrame* const frame = frame_on_interrupted_stack(context, address);
            frame->error_code = (frame->error_code & ~(kFaultPresent | kFaultUser)) | (host_tlb_is_present(address) ? kFaultPresent : 0);
            unmask(context);
            return {frame, &hosted_faulted_kernel};
        }
    } else if (Onward const onward = on_exception(context, origin); onward.stack != nullptr) {
        return onward;
    }
    write_interrupt_flag(flag);
    return kBack;
}

extern "C" {

// Interrupts off.
void hosted_take_interrupts_in(TrapFrame* frame) { take_interrupts(*frame); }

void hosted_resolve_kernel_fault(TrapFrame* frame) {
    u64 const address = reinterpret_cast<KernelFrame*>(frame)->address;
    if (!resolve_page_fault(*frame, address)) frame->rip = find_fixup(frame->rip);
    enable_interrupts();
}

// Entered and left with interrupts off.
void hosted_enter_kernel(TrapFrame* frame) {
    if (frame->is_syscall()) {
        enable_interrupts();
        syscall_handler(*frame);
        disable_interrupts();
        return;
    }
    if (frame->vector >= kFirstInterruptVector) return take_interrupts_from_user(*frame);
    u64 const address = percpu_load(entry_address);
    bool const user_half = frame->vector == kVectorPageFault && address < kUserEnd;
    if (user_half && hal::hooks.page_fault != nullptr && resolve_page_fault(*frame, address)) return;
    if (hal::hooks.user_exception == nullptr) die(*frame, address);
    enable_interrupts();
    hal::hooks.user_exception(*frame, static_cast<unsigned>(frame->vector), VirtAddr{address});
    disable_interrupts();
}

// Interrupts off. Looks again in the window that follows.
void hosted_before_user(TrapFrame* frame) {
    for (;;) {
        if (percpu_load(hosted_posted_interrupts) != 0) {
            take_interrupts_from_user(*frame);
        } else if (percpu_load(exit_work) != 0) {
            CHECK(hal::hooks.exit_to_user != nullptr, "exit work without a handler");
            hal::hooks.exit_to_user(*frame);
        } else {
            return;
        }
    }
}
}
