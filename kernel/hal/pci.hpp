// SPDX-License-Identifier: BSD-3-Clause
// Where PCI configuration space lies.
#pragma once

#include <span>

#include "base/types.hpp"

namespace tutti::hal {

// A window of memory-mapped configuration space (PCI Express ECAM). Without any, x86 has ports 0xcf8 and 0xcfc.
struct PciWindow {
    PhysAddr base;  // of bus first_bus
    u16 segment;
    u8 first_bus;
    u8 last_bus;
};
[[nodiscard]] std::span<PciWindow const> pci_windows();
// True where the legacy configuration ports may be tried.
[[nodiscard]] bool pci_ports_present();

}  // namespace tutti::hal
