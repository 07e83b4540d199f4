// SPDX-License-Identifier: BSD-3-Clause
// PCI configuration mechanism 1 (PCI Local Bus 3.0, section 3.2.2.3.2): a selector port and a data port.
// The pair is one shared register: the caller serialises, with interrupts off.
#pragma once

#include "arch/cpu.hpp"

namespace tutti::arch {

inline constexpr u16 kPciSelectorPort = 0xcf8;
inline constexpr u16 kPciDataPort = 0xcfc;

[[nodiscard]] inline u32 pci_ports_read(u32 selector) {
    out32(kPciSelectorPort, selector);
    return in32(kPciDataPort);
}
inline void pci_ports_write(u32 selector, u32 value) {
    out32(kPciSelectorPort, selector);
    out32(kPciDataPort, value);
}

}  // namespace tutti::arch
