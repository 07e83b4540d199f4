// SPDX-License-Identifier: BSD-3-Clause
// Programs: their signals as entries into the kernel, and what Linux must do for them.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "arch/auxiliary_vector.hpp"
#include "arch/cpu.hpp"
#include "arch/fpu.hpp"
#include "arch/host_call.hpp"
#include "arch/host_memory.hpp"
#include "arch/hosted_interrupts.hpp"
#include "arch/memory_layout.hpp"
#include "arch/traps.hpp"
#include "base/assert.hpp"
#include "hal/hooks.hpp"

extern "C" {
TUTTI_PERCPU tutti::u64 hosted_user_gs = 0;
TUTTI_PERCPU tutti::u32 hosted_in_user = 0;        // not in the kernel, but for signal handlers that have just begun
TUTTI_PERCPU tutti::u64 hosted_leaving_frame = 0;  // of the way back to user mode
constinit bool hosted_has_fsgsbase = false;
constinit tutti::arch::SyscallHandler syscall_handler = nullptr;

void hosted_from_user();
void hosted_leave();
extern char hosted_leave_window[];
extern char hosted_leave_window_end[];
extern char __text_start[];
extern char __text_end[];
}

namespace tutti::arch {

TUTTI_PERCPU u64 percpu_base_self = 0;

namespace {

TUTTI_PERCPU u64 entry_address = 0;  // what the exception that comes from user mode is about; interrupts off

constexpr u64 kIntSize = 2;
constexpr u64 kInt80ErrorCode = 0x80 << 3 | 2;  // an IDT entry

Onward back_with_own_gs() { return {nullptr, &hosted_leave}; }

// Interrupts are off then.
TrapFrame* enter_from_user(ucontext_t const& context) {
    percpu_store(hosted_in_user, 0u);
    set_own_word(hosted_interrupt_flag, 0);
    TrapFrame* const frame = reinterpret_cast<TrapFrame*>(percpu_load(hosted_kernel_stack)) - 1;
    *frame = frame_of(context, true);
    fpu_copy(reinterpret_cast<void*>(percpu_load(hosted_user_fpu)), context.uc_mcontext.fpregs);
    return frame;
}
Onward enter_from_user(ucontext_t const& context, u64 vector, u64 error_code, u64 address) {
    TrapFrame* const frame = enter_from_user(context);
    frame->vector = vector;
    frame->error_code = error_code;
    percpu_store(entry_address, address);
    return {frame, &hosted_from_user};
}

}  // namespace

Origin program_origin(ucontext_t const& context) {
    u64 const ip = instruction_pointer(context);
    if (ip >= reinterpret_cast<u64>(hosted_leave_window) && ip < reinterpret_cast<u64>(hosted_leave_window_end))
        return Origin::Leaving;
    return percpu_load(hosted_in_user) != 0 ? Origin::User : Origin::Kernel;
}

Onward interrupt_of_program(ucontext_t& context, Origin origin) {
    if (origin == Origin::User) return enter_from_user(context, kFirstInterruptVector, 0, 0);
    percpu_store(hosted_in_user, 0u);
    set_instruction_pointer(context, reinterpret_cast<u64>(&hosted_leave));
    context.uc_mcontext.gregs[REG_RSP] = static_cast<greg_t>(percpu_load(hosted_leaving_frame));
    return back_with_own_gs();
}

Onward exception_of_program(ucontext_t const& context, Origin origin, Fault const& fault) {
    TrapFrame* frame;
    if (origin == Origin::User) {
        frame = enter_from_user(context);
        percpu_store(entry_address, fault.address);
    } else {  // leaving: the frame has what IRET does not take
        frame = reinterpret_cast<TrapFrame*>(percpu_load(hosted_leaving_frame));
        percpu_store(hosted_in_user, 0u);
        frame->vector = reg(context, REG_TRAPNO);
        frame->error_code = reg(context, REG_ERR);
        // Still a program's frame if it was the selector that was bad.
        frame->cs = kUserCodeSelector;
        frame->ss = kUserDataSelector;
        percpu_store(entry_address, frame->rip);
    }
    record_fault(*frame, fault);
    unmask(context);
    return {frame, &hosted_from_user};
}

Onward system_call_of_program(ucontext_t& context, siginfo_t const& information) {
    if (information.si_arch == AUDIT_ARCH_X86_64) return enter_from_user(context, kSyscallVector, reg(context, REG_RAX), 0);
    // INT 0x80, which Linux has for 32-bit programs.
    set_instruction_pointer(context, instruction_pointer(context) - kIntSize);
    return enter_from_user(context, kVectorGeneralProtection, kInt80ErrorCode, instruction_pointer(context));
}

void processor_init() {
    constexpr u64 kHwcap2FsGsBase = 2;
    hosted_has_fsgsbase = (auxiliary_value(AT_HWCAP2) & kHwcap2FsGsBase) != 0;
    fpu_init();
}

void processor_init_cpu() {
    // What the GS base is: percpu_install() has set it.
    constexpr u64 kArchGetGs = 0x1004;
    u64 base = 0;
    host_call(SYS_arch_prctl, kArchGetGs, host_argument(&base));
    percpu_store(percpu_base_self, base);
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

}  // namespace tutti::arch

using namespace tutti;
using namespace tutti::arch;

extern "C" {

void hosted_set_gs_base(u64 base) {
    constexpr u64 kArchSetGs = 0x1001;
    host_call(SYS_arch_prctl, kArchSetGs, base);
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
