// SPDX-License-Identifier: BSD-3-Clause
// Interrupt pins of PCI functions, for machines without messages: several functions share a line.
#pragma once

#include "base/result.hpp"
#include "drivers/bus/pci_config.hpp"
#include "hal/interrupts.hpp"

namespace tutti::drivers {

// From now on the handler is called for each interrupt of the function's pin, and for others' on the same line: it asks
// its device first. The first function of a line decides on the CPU. Error::NotSupported: no pin, or nobody knows where
// it leads; NoMemory; those of hal. Thread context; one thread, as devices are started by one.
[[nodiscard]] Result<> connect_pin(PciAddress address, CpuId cpu, hal::InterruptHandler handler, void* argument);
// After the device was silenced; the handler may still be running on the line's CPU.
void disconnect_pin(void* argument);

}  // namespace tutti::drivers
