// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/bus/pci_bar.hpp"

namespace tutti::drivers {
namespace {

constexpr u8 kFirstBar = 0x10;
constexpr u32 kBarIo = 1u << 0;
constexpr u32 kBarTypeMask = 3u << 1;
constexpr u32 kBar64 = 2u << 1;
constexpr u32 kBarFlags = 0xf;

u8 offset_of(unsigned bar) { return static_cast<u8>(kFirstBar + 4 * bar); }

}  // namespace

PciBar pci_read_bar(PciAddress address, unsigned bar) {
    u32 const low = pci_read32(address, offset_of(bar));
    if ((low & kBarIo) != 0) return {};
    PciBar region;
    region.wide = (low & kBarTypeMask) == kBar64;
    if (region.wide && bar + 1 == kPciBars) return {};
    u32 const high = region.wide ? pci_read32(address, offset_of(bar + 1)) : 0;

    region.address = u64{high} << 32 | (low & ~kBarFlags);
    u32 const command = pci_read16(address, kPciCommand);
    if ((command & kPciCommandMemory) != 0 && region.address != 0) {
        region.size = region.address & (~region.address + 1);
        return region;
    }
    pci_write32(address, kPciCommand, command & ~u32{kPciCommandMemory});
    pci_write32(address, offset_of(bar), ~u32{0});
    u64 mask = pci_read32(address, offset_of(bar)) & ~kBarFlags;
    pci_write32(address, offset_of(bar), low);
    if (region.wide) {
        pci_write32(address, offset_of(bar + 1), ~u32{0});
        mask |= u64{pci_read32(address, offset_of(bar + 1))} << 32;
        pci_write32(address, offset_of(bar + 1), high);
    } else if (mask != 0) {
        mask |= ~u64{0} << 32;
    }
    pci_write32(address, kPciCommand, command);
    region.size = mask & (~mask + 1);  // the lowest bit that sticks
    return region;
}

void pci_place_bar(PciAddress address, unsigned bar, PciBar const& region) {
    pci_write32(address, offset_of(bar), static_cast<u32>(region.address));
    if (region.wide) pci_write32(address, offset_of(bar + 1), static_cast<u32>(region.address >> 32));
}

}  // namespace tutti::drivers
