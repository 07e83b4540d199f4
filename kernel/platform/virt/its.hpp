// SPDX-License-Identifier: BSD-3-Clause
// The interrupt translation service of GICv3: what a device writes (an event) becomes an interrupt that only messages have
// (LPI) on a chosen CPU. Arm IHI 0069, chapters 5 and 12.19.
//
//   device table[device] --> its table[event] --> LPI, collection --> collection table --> CPU
//
// The tables are the service's own: it is told by commands in a ring. A CPU's part, and a device's, are made when first
// needed. Every function: thread context; CPUs may call at once.
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"
#include "hal/interrupts.hpp"

namespace tutti::platform {

inline constexpr u32 kMessageInterrupts = 1024;

// Boot: where it is. Nothing is asked of it yet.
void its_found(PhysRange registers);
// Starts it at the first call. False: there is none that we can use.
[[nodiscard]] bool its_is_usable();
// Makes LPI `index` < kMessageInterrupts come on `target` when `device` sends the event that is returned.
// Error::NotSupported: it does not know that device or CPU; Busy: the device has all its events; NoMemory; IoError.
[[nodiscard]] Result<hal::InterruptMessage> its_map(u32 index, u32 device, CpuId target);
// After this the interrupt does not come.
void its_unmap(u32 index);

}  // namespace tutti::platform
