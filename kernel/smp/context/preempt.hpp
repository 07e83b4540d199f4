// SPDX-License-Identifier: BSD-3-Clause
// The per-CPU words that say which rung of the context ladder this CPU is on, and the preemption switch.
//
// preempt_state of a CPU:
//
//   bit 31   clear: this CPU wants to reschedule        (inverted, so that one test against zero asks both questions)
//   30..0    how many guards forbid preemption
//
// Only the owning CPU writes its word. The count changes by one gs-relative instruction, bit 31 with interrupts off, so
// an interrupt in between sees a consistent word. The count is the CPU's, not the thread's: a thread is switched out
// with the count at exactly one (the scheduler's own), and every thread finds one when it is switched in.
#pragma once

#include "arch/cpu.hpp"
#include "arch/percpu.hpp"
#include "base/assert.hpp"

namespace tutti::smp {

namespace detail {

inline constexpr u32 kNoRescheduleWanted = u32{1} << 31;
extern u32 preempt_state;  // per-CPU
extern u32 isr_depth;      // per-CPU: interrupt handlers on this CPU's stack
extern u32 pin_depth;      // per-CPU: PinGuards of the running thread; the scheduler swaps it at a switch

// Asks the registered handler for a switch, if this context allows one.
NOINLINE void preempt_now();

}  // namespace detail

ALWAYS_INLINE void preempt_disable() { arch::percpu_add(detail::preempt_state, u32{1}); }
ALWAYS_INLINE void preempt_enable_no_switch() { arch::percpu_add(detail::preempt_state, ~u32{0}); }
// What is wanted later is seen by the interrupt that wants it, at its own exit.
ALWAYS_INLINE void preempt_enable() {
    if (arch::percpu_dec_and_test(detail::preempt_state)) [[unlikely]] detail::preempt_now();
}
// After interrupts have been enabled again: what was wanted while they were off happens now.
ALWAYS_INLINE void preempt_check() {
    if (arch::percpu_load(detail::preempt_state) == 0) [[unlikely]] detail::preempt_now();
}

[[nodiscard]] ALWAYS_INLINE u32 preempt_depth() {
    return arch::percpu_load(detail::preempt_state) & ~detail::kNoRescheduleWanted;
}
[[nodiscard]] ALWAYS_INLINE bool reschedule_wanted() {
    return (arch::percpu_load(detail::preempt_state) & detail::kNoRescheduleWanted) == 0;
}
// Both with interrupts off, on the CPU meant.
inline void want_reschedule() {
    ASSERT(!arch::interrupts_enabled());
    arch::percpu_store(detail::preempt_state,
                       arch::percpu_load(detail::preempt_state) & ~detail::kNoRescheduleWanted);
}
inline void reschedule_done() {
    ASSERT(!arch::interrupts_enabled());
    arch::percpu_store(detail::preempt_state, arch::percpu_load(detail::preempt_state) | detail::kNoRescheduleWanted);
}

[[nodiscard]] ALWAYS_INLINE bool in_isr() { return arch::percpu_load(detail::isr_depth) != 0; }

// True in Thread context: blocking and page faults are allowed here.
[[nodiscard]] inline bool may_block() { return preempt_depth() == 0 && !in_isr() && arch::interrupts_enabled(); }

// Held by code that wakes threads, excluded by whatever may block or fault (wake_path.hpp).
class CAPABILITY("wake-up path") WakePathCapability {};
inline constexpr WakePathCapability wake_path{};

// States that the caller may block, whether or not it will this time.
ALWAYS_INLINE void might_sleep() EXCLUDES(wake_path) {
    ISR_NOTE("may-block", "might_sleep()");
    ASSERT(may_block(), "blocking call in a context that must not block");
}

// The scheduler's entry for preemption; set once at boot. Called with interrupts on and the count at zero.
void set_preempt_handler(void (*handler)());

}  // namespace tutti::smp
