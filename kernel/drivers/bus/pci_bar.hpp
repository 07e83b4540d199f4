// SPDX-License-Identifier: BSD-3-Clause
// Base address registers: what they say and how large a region they place. PCI Local Bus 3.0, section 6.2.5.1.
#pragma once

#include "drivers/bus/pci_config.hpp"

namespace tutti::drivers {

inline constexpr unsigned kPciBars = 6;
inline constexpr u8 kPciCommand = 0x04;
inline constexpr u16 kPciCommandMemory = 1u << 1;

// A memory region. size 0: the register is none's, or an I/O region's.
struct PciBar {
    u64 address = 0;    // on the bus; 0: not placed
    u64 size = 0;       // a power of two
    bool wide = false;  // takes this register and the next
};

// Reads register `bar` < kPciBars. Sizing writes ones and looks which bits stick; decoding is off meanwhile, so that the
// region appears nowhere.
//
// Where firmware has placed and enabled the region, it stays in place: a region that goes away and comes back makes a
// hypervisor rebuild every CPU's memory map several times, tens of milliseconds with 64 CPUs under QEMU. Regions are
// aligned to their size, so the address bounds it.
[[nodiscard]] PciBar pci_read_bar(PciAddress address, unsigned bar);
// Places the region; decoding must be off.
void pci_place_bar(PciAddress address, unsigned bar, PciBar const& region);

}  // namespace tutti::drivers
