// SPDX-License-Identifier: BSD-3-Clause
// One instruction each: interrupt flag, halting, control and model-specific registers, ports, CPUID, time stamp.
#pragma once

#include "arch/x86_64/cpuid.hpp"
#include "base/compiler.hpp"
#include "base/types.hpp"

namespace tutti::arch {

ALWAYS_INLINE void pause() { asm volatile("pause" ::: "memory"); }
// One turn of a busy wait while `word` holds `seen`: returns when it does not, or earlier for no reason.
template <class Word, class Value>
ALWAYS_INLINE void wait_for_change(Word const&, Value) {
    pause();
}

// Saved interrupt flag: what restore_interrupts() needs.
enum class IrqState : u64 {};
inline constexpr u64 kFlagInterrupt = 1u << 9;

[[nodiscard]] ALWAYS_INLINE u64 read_flags() {
    u64 flags;
    asm volatile("pushfq; popq %0" : "=r"(flags)::"memory");
    return flags;
}
[[nodiscard]] ALWAYS_INLINE bool interrupts_enabled() { return (read_flags() & kFlagInterrupt) != 0; }
ALWAYS_INLINE void enable_interrupts() { asm volatile("sti" ::: "memory"); }
// Returns the state before.
ALWAYS_INLINE IrqState disable_interrupts() {
    IrqState const before{read_flags()};
    asm volatile("cli" ::: "memory");
    return before;
}
[[nodiscard]] ALWAYS_INLINE bool interrupts_were_enabled(IrqState before) {
    return (static_cast<u64>(before) & kFlagInterrupt) != 0;
}
ALWAYS_INLINE void restore_interrupts(IrqState before) {
    if (interrupts_were_enabled(before)) enable_interrupts();
}
// Call with interrupts off. Enables them and halts with no window in between: an interrupt that is pending, or comes
// before the halt, ends it (SDM vol. 2, STI: interrupts are recognised after the following instruction).
ALWAYS_INLINE void halt_until_interrupt() { asm volatile("sti; hlt; cli" ::: "memory"); }
[[noreturn]] inline void halt_forever() {
    for (;;) asm volatile("cli; hlt" ::: "memory");
}

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

[[nodiscard]] ALWAYS_INLINE u64 read_msr(u32 index) {
    u32 low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index) : "memory");
    return (u64{high} << 32) | low;
}
ALWAYS_INLINE void write_msr(u32 index, u64 value) {
    asm volatile("wrmsr" ::"c"(index), "a"(static_cast<u32>(value)), "d"(static_cast<u32>(value >> 32)) : "memory");
}

ALWAYS_INLINE void out8(u16 port, u8 value) { asm volatile("outb %0, %1" ::"a"(value), "Nd"(port) : "memory"); }
ALWAYS_INLINE void out16(u16 port, u16 value) { asm volatile("outw %0, %1" ::"a"(value), "Nd"(port) : "memory"); }
ALWAYS_INLINE void out32(u16 port, u32 value) { asm volatile("outl %0, %1" ::"a"(value), "Nd"(port) : "memory"); }
ALWAYS_INLINE u8 in8(u16 port) {
    u8 value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}
ALWAYS_INLINE u16 in16(u16 port) {
    u16 value;
    asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}
ALWAYS_INLINE u32 in32(u16 port) {
    u32 value;
    asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

[[nodiscard]] ALWAYS_INLINE u64 read_cr2() {
    u64 value;
    asm volatile("movq %%cr2, %0" : "=r"(value)::"memory");
    return value;
}
[[nodiscard]] ALWAYS_INLINE u64 read_cr3() {
    u64 value;
    asm volatile("movq %%cr3, %0" : "=r"(value)::"memory");
    return value;
}
ALWAYS_INLINE void write_cr3(u64 value) { asm volatile("movq %0, %%cr3" ::"r"(value) : "memory"); }
[[nodiscard]] ALWAYS_INLINE u64 read_cr4() {
    u64 value;
    asm volatile("movq %%cr4, %0" : "=r"(value)::"memory");
    return value;
}
ALWAYS_INLINE void write_cr4(u64 value) { asm volatile("movq %0, %%cr4" ::"r"(value) : "memory"); }
[[nodiscard]] ALWAYS_INLINE u64 read_cr0() {
    u64 value;
    asm volatile("movq %%cr0, %0" : "=r"(value)::"memory");
    return value;
}
ALWAYS_INLINE void write_cr0(u64 value) { asm volatile("movq %0, %%cr0" ::"r"(value) : "memory"); }

inline constexpr u64 kCr0WriteProtect = 1 << 16;
inline constexpr u64 kCr0AlignmentMask = 1 << 18;
inline constexpr u64 kCr4Pae = 1 << 5;
inline constexpr u64 kCr4MachineCheck = 1 << 6;
inline constexpr u64 kCr4GlobalPages = 1 << 7;
inline constexpr u64 kCr4Umip = 1 << 11;
inline constexpr u64 kCr4FsGsBase = 1 << 16;
inline constexpr u64 kCr4Smep = 1 << 20;
inline constexpr u64 kCr4Smap = 1 << 21;

// What the kernel has switched on for programs, and set for them: RDTSCP and RDPID give the CPU's number.
inline constexpr bool kCpuNumberIsOurs = true;
[[nodiscard]] inline bool programs_may_set_bases() { return (read_cr4() & kCr4FsGsBase) != 0; }
[[nodiscard]] inline bool has_five_page_table_levels() { return (read_cr4() & (1 << 12)) != 0; }

inline constexpr u32 kMsrApicBase = 0x1b;
inline constexpr u32 kMsrTscDeadline = 0x6e0;
inline constexpr u32 kMsrEfer = 0xc0000080;
inline constexpr u32 kMsrStar = 0xc0000081;
inline constexpr u32 kMsrLstar = 0xc0000082;
inline constexpr u32 kMsrSyscallMask = 0xc0000084;
inline constexpr u32 kMsrFsBase = 0xc0000100;
inline constexpr u32 kMsrGsBase = 0xc0000101;
inline constexpr u32 kMsrKernelGsBase = 0xc0000102;
inline constexpr u32 kMsrTscAux = 0xc0000103;

ALWAYS_INLINE void set_gs_base(u64 base) { write_msr(kMsrGsBase, base); }

}  // namespace tutti::arch
