// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/bus/pci_device.hpp"

namespace tutti::drivers {
namespace {

constexpr u8 kCommand = 0x04;
constexpr u16 kCommandMemory = 1u << 1;
constexpr u16 kCommandBusMaster = 1u << 2;
constexpr u16 kCommandNoPin = 1u << 10;

constexpr u8 kFirstBar = 0x10;
constexpr u32 kBarIo = 1u << 0;
constexpr u32 kBarTypeMask = 3u << 1;
constexpr u32 kBar64 = 2u << 1;
constexpr u32 kBarFlags = 0xf;

// MSI-X, PCI 3.0 section 6.8.2.
constexpr u8 kMessageControl = 2;
constexpr u8 kMessageTable = 4;
constexpr u16 kMessageEnable = 1u << 15;
constexpr u16 kMessageCountMask = 0x7ff;
constexpr size_t kMessageEntrySize = 16;
constexpr u32 kMessageEntryMasked = 1;

u8 bar_offset(unsigned bar) { return static_cast<u8>(kFirstBar + 4 * bar); }

}  // namespace

void PciDevice::enable() {
    // The word's upper half, the status, clears bits that are written as one: write zeroes there.
    u32 const command = read16(kCommand) | kCommandMemory | kCommandBusMaster | kCommandNoPin;
    pci_write32(address_, kCommand, command);
}

void PciDevice::disable() {
    u32 const command = read16(kCommand) & ~u32{kCommandMemory | kCommandBusMaster};
    pci_write32(address_, kCommand, command);
}

// Section 6.2.5.1: write ones, read which bits stick. With decoding off, so that the region appears nowhere meanwhile.
//
// Where firmware has placed and enabled the region, it stays in place: a region that goes away and comes back makes a
// hypervisor rebuild every CPU's memory map several times, tens of milliseconds with 64 CPUs under QEMU. Regions are
// aligned to their size, so the address bounds it.
void PciDevice::probe_region(unsigned bar) {
    Region& region = regions_[bar];
    if (region.probed) return;
    region.probed = true;
    u32 const low = read32(bar_offset(bar));
    if ((low & kBarIo) != 0) return;
    bool const wide = (low & kBarTypeMask) == kBar64;
    if (wide && bar + 1 == kBars) return;
    u32 const high = wide ? read32(bar_offset(bar + 1)) : 0;

    u64 const base = u64{high} << 32 | (low & ~kBarFlags);
    u32 const command = read16(kCommand);
    if ((command & kCommandMemory) != 0 && base != 0) {
        region.base = PhysAddr{base};
        region.size = base & (~base + 1);
        return;
    }
    pci_write32(address_, kCommand, command & ~u32{kCommandMemory});
    pci_write32(address_, bar_offset(bar), ~u32{0});
    u64 mask = read32(bar_offset(bar)) & ~kBarFlags;
    pci_write32(address_, bar_offset(bar), low);
    if (wide) {
        pci_write32(address_, bar_offset(bar + 1), ~u32{0});
        mask |= u64{read32(bar_offset(bar + 1))} << 32;
        pci_write32(address_, bar_offset(bar + 1), high);
    } else if (mask != 0) {
        mask |= ~u64{0} << 32;
    }
    pci_write32(address_, kCommand, command);

    region.base = PhysAddr{base};
    region.size = mask & (~mask + 1);  // the lowest bit that sticks
}

Result<Registers> PciDevice::map_region(unsigned bar, u64 offset, u64 size) {
    if (bar >= kBars) return fail(Error::NoDevice);
    probe_region(bar);
    Region const& region = regions_[bar];
    if (region.size == 0 || region.base.is_null()) return fail(Error::NoDevice);
    if (size == 0 || !range_within(offset, size, region.size)) return fail(Error::OutOfRange);
    return Registers::map(region.base + offset, size);
}

Result<> PciDevice::initialize_messages() {
    for_each_capability([&](u8 offset, u8 id) {
        if (id != kPciCapabilityMsiX || offset > kPciConfigSize - 12) return true;
        message_capability_ = offset;
        return false;
    });
    if (message_capability_ == 0) return fail(Error::NotSupported);
    u16 const control = read16(message_capability_ + kMessageControl);
    u16 const count = static_cast<u16>((control & kMessageCountMask) + 1);
    u32 const table = read32(message_capability_ + kMessageTable);
    message_table_ = TRY(map_region(table & 7, table & ~7u, count * kMessageEntrySize));
    message_count_ = count;
    // The device is still disabled: the entries are masked once it can be reached, by enable_messages().
    return {};
}

void PciDevice::set_message(u16 index, hal::InterruptMessage message) {
    ASSERT(index < message_count_);
    size_t const entry = index * kMessageEntrySize;
    message_table_.write32(entry + 12, kMessageEntryMasked);
    message_table_.write64_in_halves(entry, message.address);
    message_table_.write32(entry + 8, message.data);
    message_table_.write32(entry + 12, 0);
}

void PciDevice::enable_messages() {
    pci_write16(address_, message_capability_ + kMessageControl, kMessageEnable);
}

}  // namespace tutti::drivers
