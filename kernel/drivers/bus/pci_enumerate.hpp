// SPDX-License-Identifier: BSD-3-Clause
// Finds every PCI function, bridges followed by the bus numbers that the firmware gave them.
#pragma once

#include "base/vector.hpp"
#include "drivers/bus/pci_config.hpp"

namespace tutti::drivers {

// All functions that are not bridges, in order of address. An empty list: no PCI, or nothing on it. Errors: NoMemory.
// Thread context; once at boot.
[[nodiscard]] Result<Vector<PciAddress>> pci_enumerate();

}  // namespace tutti::drivers
