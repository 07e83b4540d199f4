// SPDX-License-Identifier: BSD-3-Clause
// One instruction each: interrupt mask, waiting, counter, system registers.
// References: Arm Architecture Reference Manual, DDI 0487.
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
// Non-maskable interrupts go on: another CPU may still ask for this one's report.
[[noreturn]] inline void halt_forever() {
    for (;;) asm volatile("msr daifset, #2; wfi" ::: "memory");
}

ALWAYS_INLINE void mask_everything() { asm volatile("msr daifset, #15" ::: "memory"); }
// Lets in what the kernel never masks in C++: FIQ, system errors, debug exceptions.
ALWAYS_INLINE void enable_non_maskable() { asm volatile("msr daifclr, #13" ::: "memory"); }

// The virtual counter, which all CPUs share. After every instruction before it: time that another CPU has published is in
// the past here too (D11.2.2).
[[nodiscard]] ALWAYS_INLINE u64 read_counter() {
    u64 count;
    asm volatile("isb; mrs %0, cntvct_el0" : "=r"(count)::"memory");
    return count;
}
// Without that order: for accounting.
[[nodiscard]] ALWAYS_INLINE u64 read_counter_unordered() {
    u64 count;
    asm volatile("mrs %0, cntvct_el0" : "=r"(count));
    return count;
}
[[nodiscard]] ALWAYS_INLINE u64 read_counter_frequency() {
    u64 hz;
    asm volatile("mrs %0, cntfrq_el0" : "=r"(hz));
    return hz;
}
// The virtual timer of this CPU: bit 0 enables it; it fires when the counter is not below the compare value.
ALWAYS_INLINE void write_timer_control(u64 value) { asm volatile("msr cntv_ctl_el0, %0; isb" ::"r"(value) : "memory"); }
ALWAYS_INLINE void write_timer_compare(u64 value) { asm volatile("msr cntv_cval_el0, %0" ::"r"(value) : "memory"); }

// TPIDR_EL0 is the program's own.
[[nodiscard]] ALWAYS_INLINE u64 read_user_thread_pointer() {
    u64 value;
    asm volatile("mrs %0, tpidr_el0" : "=r"(value)::"memory");
    return value;
}
ALWAYS_INLINE void write_user_thread_pointer(u64 value) { asm volatile("msr tpidr_el0, %0" ::"r"(value) : "memory"); }
// Programs read the virtual counter, and nothing else of the timer (CNTKCTL_EL1.EL0VCTEN).
ALWAYS_INLINE void give_counter_to_programs() { asm volatile("msr cntkctl_el1, %0" ::"r"(u64{2}) : "memory"); }

// Affinity of this CPU as interrupt controller, device tree and PSCI name it (MPIDR_EL1 without its flags).
inline constexpr u64 kAffinityMask = 0x0000'00ff'00ff'ffff;
[[nodiscard]] ALWAYS_INLINE u64 read_affinity() {
    u64 value;
    asm volatile("mrs %0, mpidr_el1" : "=r"(value));
    return value & kAffinityMask;
}
[[nodiscard]] ALWAYS_INLINE u64 read_isar0() {
    u64 value;
    asm volatile("mrs %0, id_aa64isar0_el1" : "=r"(value));
    return value;
}
[[nodiscard]] ALWAYS_INLINE u64 read_mmfr1() {
    u64 value;
    asm volatile("mrs %0, id_aa64mmfr1_el1" : "=r"(value));
    return value;
}
[[nodiscard]] ALWAYS_INLINE u64 read_sctlr() {
    u64 value;
    asm volatile("mrs %0, sctlr_el1" : "=r"(value)::"memory");
    return value;
}
ALWAYS_INLINE void write_sctlr(u64 value) { asm volatile("msr sctlr_el1, %0; isb" ::"r"(value) : "memory"); }
// Privileged access never (ARMv8.1): while set, only LDTR, STTR and their like reach memory of the user half.
[[nodiscard]] ALWAYS_INLINE bool has_pan() { return (read_mmfr1() >> 20 & 0xf) != 0; }
[[nodiscard]] ALWAYS_INLINE bool read_pan() {
    u64 value;
    asm volatile("mrs %0, S3_0_C4_C2_3" : "=r"(value)::"memory");
    return (value & 1u << 22) != 0;
}
ALWAYS_INLINE void set_pan() { asm volatile(".inst 0xd500419f" ::: "memory"); }
ALWAYS_INLINE void write_vbar(u64 value) { asm volatile("msr vbar_el1, %0; isb" ::"r"(value) : "memory"); }

// Translations of the lower half come from `root`; this CPU forgets all others of it.
ALWAYS_INLINE void load_lower_root(u64 root) {
    asm volatile("msr ttbr0_el1, %0; isb; tlbi vmalle1; dsb nsh; isb" ::"r"(root) : "memory");
}

// Writes the cache line of `object` back, for readers whose caches are off.
ALWAYS_INLINE void clean_to_memory(void const* object) {
    asm volatile("dsb sy; dc cvac, %0; dsb sy" ::"r"(object) : "memory");
}

// Every store before it is seen by every CPU and device before what comes after.
ALWAYS_INLINE void store_barrier() { asm volatile("dsb ishst" ::: "memory"); }
ALWAYS_INLINE void full_barrier() { asm volatile("dsb sy" ::: "memory"); }
ALWAYS_INLINE void instruction_barrier() { asm volatile("isb" ::: "memory"); }

}  // namespace tutti::arch
