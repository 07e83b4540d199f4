// SPDX-License-Identifier: BSD-3-Clause
#include "smp/context/context.hpp"

#include <atomic>

namespace tutti::smp {

namespace detail {

// A CPU starts out not preemptible: the scheduler drops this one count when it takes the CPU over.
TUTTI_PERCPU u32 preempt_state = kNoRescheduleWanted | 1;
TUTTI_PERCPU u32 isr_depth = 0;
TUTTI_PERCPU u32 pin_depth = 0;

namespace {
constinit std::atomic<void (*)()> g_preempt_handler{nullptr};
}  // namespace

NOINLINE void preempt_now() {
    ISR_NOTE("thread-rung", "preemption happens with interrupts on only; an interrupt handler's guards come here and return");
    // Interrupts off (an IrqOffGuard further out, or a handler): whoever enables them looks again.
    if (!arch::interrupts_enabled()) return;
    // relaxed, here and below: code. The scheduler has taken this CPU over before it can come here with the count at zero.
    if (auto* const handler = g_preempt_handler.load(std::memory_order_relaxed)) handler();
}

}  // namespace detail

void set_preempt_handler(void (*handler)()) {
    detail::g_preempt_handler.store(handler, std::memory_order_relaxed);
}

void abandon_rungs() {
    ASSERT(!arch::interrupts_enabled());
    arch::percpu_store(detail::preempt_state, arch::percpu_load(detail::preempt_state) & detail::kNoRescheduleWanted);
    arch::percpu_store(detail::isr_depth, u32{0});
    arch::percpu_store(detail::pin_depth, u32{0});
}

}  // namespace tutti::smp
