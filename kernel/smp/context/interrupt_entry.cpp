// SPDX-License-Identifier: BSD-3-Clause
// The way into interrupt handlers, and what debug builds check on the way out of them and of the kernel.
#include "arch/trap_frame.hpp"
#include "hal/hooks.hpp"
#include "smp/context/context.hpp"
#include "smp/rcu/rcu.hpp"
#include "smp/spin/lock_debug.hpp"

namespace tutti::smp {
namespace {

constinit decltype(hal::hooks.interrupt) g_platform_interrupt = nullptr;

ISR_SAFE void run_interrupt(arch::TrapFrame& frame, unsigned vector) {
    IsrEntry const isr;
    rcu::note_interrupt(isr);
    g_platform_interrupt(frame, vector);
}

// In debug builds: a handler leaves the rung as it found it, and a program finds none above its own.
ISR_SAFE void counted_interrupt(arch::TrapFrame& frame, unsigned vector) {
    if constexpr (!kDebugBuild) {
        run_interrupt(frame, vector);
        return;
    }
    IrqOffWatch watch;
    watch.start();
    u32 const preempt_before = preempt_depth();
    u32 const locks_before = spin_locks_held();
    run_interrupt(frame, vector);
    watch.stop_at(reinterpret_cast<char const*>(g_platform_interrupt) + 1);
    CHECK(preempt_depth() == preempt_before, "the handler of interrupt {} left preemption off or on", vector);
    if (spin_locks_held() != locks_before) [[unlikely]] print_held_spin_locks();
    CHECK(spin_locks_held() == locks_before, "the handler of interrupt {} kept a spin lock", vector);
    if (frame.is_user()) check_may_return_to_user();
}

}  // namespace

ISR_SAFE void check_may_return_to_user() {
    if constexpr (kDebugBuild) {
        check_no_spin_locks_held("on return to user mode");
        CHECK(preempt_depth() == 0 && !in_isr(), "return to user mode with preemption off");
    }
}

void wrap_interrupt_hook() {
    CHECK(hal::hooks.interrupt != nullptr && hal::hooks.interrupt != counted_interrupt);
    g_platform_interrupt = hal::hooks.interrupt;
    hal::hooks.interrupt = counted_interrupt;
}

}  // namespace tutti::smp
