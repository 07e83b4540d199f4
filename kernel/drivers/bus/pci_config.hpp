// SPDX-License-Identifier: BSD-3-Clause
// PCI configuration space: through memory windows (PCI Express ECAM) where the platform has them, else through ports.
#pragma once

#include <optional>

#include "base/format.hpp"
#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti::drivers {

struct PciAddress {
    u16 segment = 0;
    u8 bus = 0;
    u8 device = 0;    // 0..31
    u8 function = 0;  // 0..7

    friend bool operator==(PciAddress const&, PciAddress const&) = default;
    // "0000:00:1f.0"
    [[nodiscard]] std::string_view print(std::span<char> buffer) const {
        return format_to(buffer, "{:04x}:{:02x}:{:02x}.{}", segment, bus, device, function);
    }
};

inline constexpr size_t kPciConfigSize = 256;  // what every device has; the extended space is not used

// Any offset below kPciConfigSize, aligned to the width. A device that is not there reads as all ones, writes to it are
// lost. Thread context before the first read of a bus (it maps the window), later any; CPUs may call at once.
[[nodiscard]] u32 pci_read32(PciAddress address, u8 offset);
[[nodiscard]] u16 pci_read16(PciAddress address, u8 offset);
[[nodiscard]] u8 pci_read8(PciAddress address, u8 offset);
void pci_write32(PciAddress address, u8 offset, u32 value);
void pci_write16(PciAddress address, u8 offset, u16 value);

// Decides on windows or ports. Called once, before the first read. Error::NoDevice: this machine has no PCI.
[[nodiscard]] Result<> pci_initialize();
// Makes a bus reachable; Error::NotFound when no window holds it.
[[nodiscard]] Result<> pci_open_bus(u16 segment, u8 bus);

// Where CPUs find device memory that lies at a bus address; nothing when the host bridge does not pass all of it on.
[[nodiscard]] std::optional<PhysAddr> pci_physical_address(u16 segment, u64 bus_address, u64 size);

}  // namespace tutti::drivers
