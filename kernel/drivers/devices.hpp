// SPDX-License-Identifier: BSD-3-Clause
// Start of the device drivers: what init/ calls.
#pragma once

#include "base/result.hpp"

namespace tutti::drivers {

// Mixes what the CPU offers into the entropy pool. Needs per-CPU data; before the first random_fill.
void initialize_entropy();

// Finds the devices on PCI and virtio-mmio and starts the drivers that know them. Needs the heap, the scheduler and
// interrupt routing (milestone irq-ready). Thread context; blocks. A device that misbehaves is logged and left alone:
// this cannot fail.
void initialize_devices();

// Puts the host link on the console, one way (hal/link_line.hpp), for machines without a virtio console. Thread context, at
// boot. Error::AlreadyInProgress: there is a link; NoMemory.
[[nodiscard]] Result<> start_link_on_console();

}  // namespace tutti::drivers
