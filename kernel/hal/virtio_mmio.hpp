// SPDX-License-Identifier: BSD-3-Clause
// Where memory-mapped virtio devices may be.
#pragma once

#include <span>

#include "base/types.hpp"
#include "hal/interrupts.hpp"

namespace tutti::hal {

// A slot of registers; it may hold no device.
struct VirtioMmioSlot {
    PhysAddr base;
    u64 size = 0;
    InterruptLine line;
};
// Those that the platform's tables or the command line name. Constant after boot.
[[nodiscard]] std::span<VirtioMmioSlot const> virtio_mmio_slots();

}  // namespace tutti::hal
