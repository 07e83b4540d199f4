// SPDX-License-Identifier: BSD-3-Clause
// A CPU that is a thread of a Linux process. Its interrupt flag is a word in its per-CPU area, and interrupts are bits in
// another word there, announced by a signal (README.md has the whole).
#pragma once

#include "arch/x86_64/cpuid.hpp"
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
void hosted_set_gs_base(tutti::u64 base);
void hosted_long_pause();
extern bool hosted_shares_processors;  // not per-CPU; constant once other CPUs run
}

namespace tutti::arch {

// With more CPUs than the host has, whoever is waited for may be without a processor: it gets this one now and then.
ALWAYS_INLINE void pause() {
    asm volatile("pause" ::: "memory");
    if (hosted_shares_processors) [[unlikely]] hosted_long_pause();
}
// One turn of a busy wait while `word` holds `seen`: returns when it does not, or earlier for no reason.
template <class Word, class Value>
ALWAYS_INLINE void wait_for_change(Word const&, Value) {
    pause();
}

// Saved interrupt flag: what restore_interrupts() needs.
enum class IrqState : u64 {};
inline constexpr u64 kFlagInterrupt = 1u << 9;

[[nodiscard]] ALWAYS_INLINE bool interrupts_were_enabled(IrqState before) {
    return (static_cast<u64>(before) & kFlagInterrupt) != 0;
}
[[nodiscard]] ALWAYS_INLINE IrqState read_interrupt_flag() {
    u32 flag;
    asm volatile("movl %%gs:%1, %0" : "=r"(flag) : "m"(hosted_interrupt_flag) : "memory");
    return IrqState{flag};
}
[[nodiscard]] ALWAYS_INLINE bool interrupts_enabled() { return interrupts_were_enabled(read_interrupt_flag()); }
// No interrupt is lost between the two instructions: one that is posted after the first finds the flag set.
ALWAYS_INLINE void enable_interrupts() {
    u32 posted;
    asm volatile(
        "movl %2, %%gs:%0\n\t"
        "movl %%gs:%3, %1"
        : "=m"(hosted_interrupt_flag), "=r"(posted)
        : "i"(kFlagInterrupt), "m"(hosted_posted_interrupts)
        : "memory");
    if (posted != 0) [[unlikely]] hosted_take_interrupts();
}
// Returns the state before. On another CPU than it began on, perhaps, if interrupts were on: then they were on there too.
ALWAYS_INLINE IrqState disable_interrupts() {
    IrqState const before = read_interrupt_flag();
    asm volatile("movl $0, %%gs:%0" : "=m"(hosted_interrupt_flag)::"memory");
    return before;
}
ALWAYS_INLINE void restore_interrupts(IrqState before) {
    if (interrupts_were_enabled(before)) enable_interrupts();
}
// Call with interrupts off. Enables them and waits with no window in between: an interrupt that is pending, or comes
// before the wait, ends it.
ALWAYS_INLINE void halt_until_interrupt() { hosted_halt_until_interrupt(); }
[[noreturn]] inline void halt_forever() { hosted_halt_forever(); }

[[nodiscard]] ALWAYS_INLINE u64 read_tsc() {
    u32 low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (u64{high} << 32) | low;
}
// A counter of this CPU that never stops, for randomness.
[[nodiscard]] ALWAYS_INLINE u64 read_counter() { return read_tsc(); }

// After every load before it: time that another CPU has published is in the past here too.
[[nodiscard]] ALWAYS_INLINE u64 read_tsc_ordered() {
    u32 low, high;
    asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (u64{high} << 32) | low;
}

[[nodiscard]] ALWAYS_INLINE u64 read_flags() {
    u64 flags;
    asm volatile("pushfq; popq %0" : "=r"(flags)::"memory");
    return flags;
}

// RDTSCP and RDPID give the number of the host's processor.
inline constexpr bool kCpuNumberIsOurs = false;
// Programs may if the host lets us, but are not told: what they set would be lost at a switch.
[[nodiscard]] inline bool programs_may_set_bases() { return false; }
[[nodiscard]] inline bool has_five_page_table_levels() { return false; }

inline void set_gs_base(u64 base) { hosted_set_gs_base(base); }

}  // namespace tutti::arch
