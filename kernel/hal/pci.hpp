// SPDX-License-Identifier: BSD-3-Clause
// Where PCI configuration space lies, and what the host bridge gives its devices.
#pragma once

#include <optional>
#include <span>

#include "base/types.hpp"
#include "hal/interrupts.hpp"

namespace tutti::hal {

// Addresses that the host bridge passes on to device memory.
struct PciAperture {
    PhysAddr base;
    u64 bus_address = 0;  // what devices call it
    u64 size = 0;
};

// A window of memory-mapped configuration space (PCI Express ECAM).
struct PciWindow {
    PhysAddr base;  // of bus first_bus
    u16 segment;
    u8 first_bus;
    u8 last_bus;
    std::span<PciAperture const> apertures;  // none: firmware has placed device memory, at CPUs' addresses
};
[[nodiscard]] std::span<PciWindow const> pci_windows();

// Legacy configuration ports of x86: a selector and a data register. The pair is one shared register: the caller serialises,
// with interrupts off.
struct PciPorts {
    u32 (*read)(u32 selector);
    void (*write)(u32 selector, u32 value);
};
// Null where there are none.
[[nodiscard]] PciPorts const* pci_ports();

// Where the pin (1 to 4) of a device on the first bus of a window arrives; nothing where the platform does not know.
[[nodiscard]] std::optional<InterruptLine> pci_pin_line(u16 segment, u8 device, u8 pin);

}  // namespace tutti::hal
