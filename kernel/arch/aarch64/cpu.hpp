// SPDX-License-Identifier: BSD-3-Clause
// One instruction each: interrupt mask, waiting, per-CPU base register. What locks and contexts need; the port to this
// architecture is not there yet. References: Arm Architecture Reference Manual, DDI 0487.
#pragma once

#include "base/compiler.hpp"
#include "base/types.hpp"

namespace tutti::arch {

// YIELD is a no-op on cores without hardware threads; waits for a word use wait_for_change().
ALWAYS_INLINE void pause() { asm volatile("yield" ::: "memory"); }

// One turn of a busy wait while `word` holds `seen`: returns when it does not, or earlier for no reason.
//
//   ldxr    arms this CPU's exclusive monitor for the word
//   wfe     sleeps until an event; another CPU's store to the word clears the monitor, which is one (B2.10.2, D1.7)
//
// A store between the two clears the monitor too, and wfe returns at once. No sev is needed.
template <class Word, class Value>
ALWAYS_INLINE void wait_for_change(Word const& word, Value seen) {
    static_assert(sizeof(Word) == sizeof(Value) || sizeof(Word) == 1);
    u64 found;
    if constexpr (sizeof(Word) == 1)
        asm volatile("ldxrb %w0, %1" : "=r"(found) : "Q"(word) : "memory");
    else if constexpr (sizeof(Word) == 4)
        asm volatile("ldxr %w0, %1" : "=r"(found) : "Q"(word) : "memory");
    else
        asm volatile("ldxr %0, %1" : "=r"(found) : "Q"(word) : "memory");
    u64 wanted = 0;
    __builtin_memcpy(&wanted, &seen, sizeof(Word));
    if (found == wanted)
        asm volatile("wfe" ::: "memory");
    else
        asm volatile("clrex" ::: "memory");
}

// Saved interrupt mask: what restore_interrupts() needs.
enum class IrqState : u64 {};
inline constexpr u64 kFlagInterruptMasked = 1u << 7;  // DAIF.I

[[nodiscard]] ALWAYS_INLINE IrqState read_interrupt_mask() {
    u64 daif;
    asm volatile("mrs %0, daif" : "=r"(daif)::"memory");
    return IrqState{daif};
}
[[nodiscard]] ALWAYS_INLINE bool interrupts_were_enabled(IrqState before) {
    return (static_cast<u64>(before) & kFlagInterruptMasked) == 0;
}
[[nodiscard]] ALWAYS_INLINE bool interrupts_enabled() { return interrupts_were_enabled(read_interrupt_mask()); }
ALWAYS_INLINE void enable_interrupts() { asm volatile("msr daifclr, #2" ::: "memory"); }
// Returns the state before.
ALWAYS_INLINE IrqState disable_interrupts() {
    IrqState const before = read_interrupt_mask();
    asm volatile("msr daifset, #2" ::: "memory");
    return before;
}
ALWAYS_INLINE void restore_interrupts(IrqState before) {
    if (interrupts_were_enabled(before)) enable_interrupts();
}
// Call with interrupts off. WFI also wakes for an interrupt that is masked, which is taken once they are on.
ALWAYS_INLINE void halt_until_interrupt() {
    asm volatile("dsb sy; wfi" ::: "memory");
    asm volatile("msr daifclr, #2; isb; msr daifset, #2" ::: "memory");
}
[[noreturn]] inline void halt_forever() {
    for (;;) asm volatile("msr daifset, #15; wfi" ::: "memory");
}

}  // namespace tutti::arch
