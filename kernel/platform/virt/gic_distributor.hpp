// SPDX-License-Identifier: BSD-3-Clause
// What the distributors of versions 2 and 3 have alike (Arm IHI 0048, 4.3; IHI 0069, 12.9): one bit or field for each
// interrupt in tables of registers. The redistributors of version 3 have the same tables for the private interrupts.
#pragma once

#include "arch/mmio.hpp"
#include "base/types.hpp"
#include "hal/interrupts.hpp"

namespace tutti::platform::distributor {

inline constexpr size_t kControl = 0x000;
inline constexpr size_t kType = 0x004;
inline constexpr size_t kGroup = 0x080;
inline constexpr size_t kSetEnable = 0x100;
inline constexpr size_t kClearEnable = 0x180;
inline constexpr size_t kSetPending = 0x200;
inline constexpr size_t kClearPending = 0x280;
inline constexpr size_t kPriority = 0x400;
inline constexpr size_t kTrigger = 0xc00;

inline constexpr u32 kEnableGroup0 = 1u << 0;
inline constexpr u32 kEnableGroup1 = 1u << 1;

[[nodiscard]] ISR_SAFE inline u32 read(u8 volatile* at) { return arch::mmio_read<u32>(at); }
ISR_SAFE inline void write(u8 volatile* at, u32 value) { arch::mmio_write<u32>(at, value); }

// The distributor's registers; mapped by init(). Boot CPU.
extern u8 volatile* registers;

// Maps `size` bytes of registers.
void map(PhysAddr physical, size_t size);
// All shared interrupts: disabled, group 1, one priority.
void init_shared();
// The private ones at `tables`, which are the calling CPU's own: software interrupts and `timer` enabled, in group 1 but
// the non-maskable one if `owns_group0`.
void init_private(u8 volatile* tables, u32 timer, bool owns_group0);

// The number after the last shared interrupt.
[[nodiscard]] u32 shared_end();
void enable(u32 interrupt);
// It may still be on its way to a CPU.
void disable(u32 interrupt);
void raise(u32 interrupt);
void forget_pending(u32 interrupt);
void set_trigger(u32 interrupt, hal::TriggerMode mode);

}  // namespace tutti::platform::distributor
