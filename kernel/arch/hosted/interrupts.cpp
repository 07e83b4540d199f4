// SPDX-License-Identifier: BSD-3-Clause
// The interrupt flag and what it holds back.
//
// No interrupt is lost. The sender sets the bit, then signals; the signal's handler runs on the target after the bit was
// set. If the flag was clear then, the target sets it later and looks at the word after that (enable_interrupts). A sender
// that finds other bits set need not signal: whoever set them has, and they are taken together.
// A halted target is woken through a futex on the word; `halted` and the word are both sequentially consistent: either the
// sender sees `halted`, or the target sees the bit.
#include "arch/cpu.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>

#include <atomic>

#include "arch/host_call.hpp"
#include "arch/hosted_interrupts.hpp"
#include "arch/signal_context.hpp"
#include "arch/traps.hpp"
#include "hal/hooks.hpp"

extern "C" {
TUTTI_PERCPU tutti::u32 hosted_interrupt_flag = 0;
TUTTI_PERCPU tutti::u32 hosted_posted_interrupts = 0;
TUTTI_PERCPU tutti::u32 exit_work = 0;
constinit bool hosted_shares_processors = false;
}

namespace tutti::hal {
constinit Hooks hooks{};
}

namespace tutti::arch {

TUTTI_PERCPU u32 percpu_own_index = 0;
TUTTI_PERCPU TrapFrame const* fatal_frame_of_cpu = nullptr;

namespace {

TUTTI_PERCPU u32 halted = 0;
TUTTI_PERCPU u32 thread_id = 0;
TUTTI_PERCPU u32 nmi_held_back = 0;
TUTTI_PERCPU u32 pauses = 0;

std::atomic_ref<u32> word_in(void* area, u32& variable) { return std::atomic_ref{*percpu_address_in(area, variable)}; }
std::atomic_ref<u32> word_here(u32& variable) { return std::atomic_ref{*percpu_address(variable)}; }

u64 process_id() { return static_cast<u64>(host_call(SYS_getpid)); }

void signal_cpu(void* area, int signal) {
    u32 const thread = *percpu_address_in(area, thread_id);
    host_call(SYS_tgkill, process_id(), thread, static_cast<u64>(signal));
}

}  // namespace

void set_thread_id(u32 id) { percpu_store(thread_id, id); }

void post_interrupt(void* area, Interrupt interrupt) {
    // seq_cst: see above.
    u32 const before = word_in(area, hosted_posted_interrupts).fetch_or(1u << static_cast<u32>(interrupt));
    if (before != 0) return;
    if (word_in(area, halted).load() != 0)
        host_call(SYS_futex, host_argument(percpu_address_in(area, hosted_posted_interrupts)), FUTEX_WAKE_PRIVATE, 1);
    else
        signal_cpu(area, kInterruptSignal);
}

void post_interrupt_here(Interrupt interrupt) {
    word_here(hosted_posted_interrupts).fetch_or(1u << static_cast<u32>(interrupt));
}

void post_nmi(void* area) { signal_cpu(area, kNmiSignal); }

namespace {

// Interrupts off.
void run_handlers(TrapFrame& frame) {
    // acquire: what the sender did before.
    for (u32 bits = word_here(hosted_posted_interrupts).exchange(0); bits != 0; bits &= bits - 1)
        if (hal::hooks.interrupt != nullptr)
            hal::hooks.interrupt(frame, kFirstInterruptVector + static_cast<unsigned>(__builtin_ctz(bits)));
}

}  // namespace

void take_interrupts(TrapFrame& frame) {
    do {
        set_own_word(hosted_interrupt_flag, 0);
        run_handlers(frame);
        // May bring us to another CPU: the word is looked up again.
        if (hal::hooks.irq_exit_to_kernel != nullptr) hal::hooks.irq_exit_to_kernel();
        set_own_word(hosted_interrupt_flag, kFlagInterrupt);
    } while (percpu_load(hosted_posted_interrupts) != 0);
}

void take_interrupts_from_user(TrapFrame& frame) { run_handlers(frame); }

void hold_nmi_back() { percpu_store(nmi_held_back, 1u); }

}  // namespace tutti::arch

using namespace tutti;
using namespace tutti::arch;

extern "C" void hosted_take_interrupts() {
    TrapFrame frame = frame_of_caller(__builtin_return_address(0), __builtin_frame_address(0));
    take_interrupts(frame);
}

extern "C" void hosted_halt_until_interrupt() {
    word_here(halted).exchange(1);  // "store, then look" (docs/memory-model.md)
    while (word_here(hosted_posted_interrupts).load() == 0)
        host_call(SYS_futex, host_argument(percpu_address(hosted_posted_interrupts)), FUTEX_WAIT_PRIVATE, 0, 0);
    word_here(halted).store(0);
    enable_interrupts();
    disable_interrupts();
}

extern "C" void hosted_long_pause() {
    constexpr u32 kPausesPerYield = 64;
    percpu_add(pauses, 1u);
    if (percpu_load(pauses) % kPausesPerYield == 0) host_call(SYS_sched_yield);
}

extern "C" void hosted_halt_forever() {
    for (;;) {
        disable_interrupts();
        host_call(SYS_ppoll, 0, 0, 0, 0);
    }
}

#if TUTTI_HOSTED_SANITIZER
// Called by the compiler's instrumentation on each edge of the control flow of the portable layers: where an interrupt
// that came in the middle of the sanitizer's own code is taken (traps.cpp).
extern "C" void __sanitizer_cov_trace_pc() {
    if (percpu_load(hosted_posted_interrupts) != 0 && interrupts_enabled()) {
        TrapFrame frame = frame_of_caller(__builtin_return_address(0), __builtin_frame_address(0));
        take_interrupts(frame);
    }
    if (percpu_load(nmi_held_back) != 0) {
        percpu_store(nmi_held_back, 0u);
        TrapFrame frame = frame_of_caller(__builtin_return_address(0), __builtin_frame_address(0));
        if (hal::hooks.nmi != nullptr) (void)hal::hooks.nmi(frame);
    }
}
#endif
