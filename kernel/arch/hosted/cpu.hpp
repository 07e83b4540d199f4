// SPDX-License-Identifier: BSD-3-Clause
// A CPU that is a thread of a Linux process. Its interrupt flag is a word in its per-CPU area, and interrupts are bits in
// another word there, announced by a signal (README.md has the whole).
#pragma once

#include "arch/processor.hpp"
#include "base/compiler.hpp"
#include "base/types.hpp"

// Per-CPU, in interrupts.cpp.
extern "C" {
extern tutti::u32 hosted_interrupt_flag;     // arch::kFlagInterrupt or 0
extern tutti::u32 hosted_posted_interrupts;  // a bit for each interrupt that has been posted and not been taken
// Takes what is posted, as the signal would; interrupts are on when it returns, perhaps on another CPU.
void hosted_take_interrupts();
void hosted_halt_until_interrupt();
[[noreturn]] void hosted_halt_forever();
void hosted_long_pause();
extern bool hosted_shares_processors;  // not per-CPU; constant once other CPUs run
}

namespace tutti::arch {

// With more CPUs than the host has, whoever is waited for may be without a processor: it gets this one now and then.
ALWAYS_INLINE void pause() {
    spin_hint();
    if (hosted_shares_processors) [[unlikely]] hosted_long_pause();
}
// One turn of a busy wait while `word` holds `seen`: returns when it does not, or earlier for no reason.
template <class Word, class Value>
ALWAYS_INLINE void wait_for_change(Word const&, Value) {
    pause();
}

// Saved interrupt flag: what restore_interrupts() needs.
enum class IrqState : u64 {};
inline constexpr u32 kFlagInterrupt = 1u << 9;

[[nodiscard]] ALWAYS_INLINE bool interrupts_were_enabled(IrqState before) {
    return (static_cast<u64>(before) & kFlagInterrupt) != 0;
}
[[nodiscard]] ALWAYS_INLINE IrqState read_interrupt_flag() { return IrqState{own_word(hosted_interrupt_flag)}; }
[[nodiscard]] ALWAYS_INLINE bool interrupts_enabled() { return interrupts_were_enabled(read_interrupt_flag()); }
// No interrupt is lost between the two instructions: one that is posted after the first finds the flag set.
ALWAYS_INLINE void enable_interrupts() {
    set_own_word(hosted_interrupt_flag, kFlagInterrupt);
    if (own_word(hosted_posted_interrupts) != 0) [[unlikely]] hosted_take_interrupts();
}
// Returns the state before. On another CPU than it began on, perhaps, if interrupts were on: then they were on there too.
ALWAYS_INLINE IrqState disable_interrupts() {
    IrqState const before = read_interrupt_flag();
    set_own_word(hosted_interrupt_flag, 0);
    return before;
}
ALWAYS_INLINE void restore_interrupts(IrqState before) {
    if (interrupts_were_enabled(before)) enable_interrupts();
}
// Call with interrupts off. Enables them and waits with no window in between: an interrupt that is pending, or comes
// before the wait, ends it.
ALWAYS_INLINE void halt_until_interrupt() { hosted_halt_until_interrupt(); }
[[noreturn]] inline void halt_forever() { hosted_halt_forever(); }

}  // namespace tutti::arch
