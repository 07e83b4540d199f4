// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/bus/pci_device.hpp"

namespace tutti::drivers {
namespace {

constexpr u16 kCommandBusMaster = 1u << 2;
constexpr u16 kCommandNoPin = 1u << 10;

// MSI-X, PCI 3.0 section 6.8.2.
constexpr u8 kMessageControl = 2;
constexpr u8 kMessageTable = 4;
constexpr u16 kMessageEnable = 1u << 15;
constexpr u16 kMessageCountMask = 0x7ff;
constexpr size_t kMessageEntrySize = 16;
constexpr u32 kMessageEntryMasked = 1;

}  // namespace

void PciDevice::enable(Interrupts interrupts) {
    // The word's upper half, the status, clears bits that are written as one: write zeroes there.
    u32 const pin = interrupts == Interrupts::Messages ? kCommandNoPin : 0;
    u32 const command = (read16(kPciCommand) & ~u32{kCommandNoPin}) | kPciCommandMemory | kCommandBusMaster | pin;
    pci_write32(address_, kPciCommand, command);
}

void PciDevice::disable() {
    u32 const command = read16(kPciCommand) & ~u32{kPciCommandMemory | kCommandBusMaster};
    pci_write32(address_, kPciCommand, command);
}

void PciDevice::probe_region(unsigned bar) {
    Region& region = regions_[bar];
    if (region.probed) return;
    region.probed = true;
    PciBar const found = pci_read_bar(address_, bar);
    if (found.size == 0 || found.address == 0) return;
    auto const base = pci_physical_address(address_.segment, found.address, found.size);
    if (!base) return;
    region.base = *base;
    region.size = found.size;
}

Result<Registers> PciDevice::map_region(unsigned bar, u64 offset, u64 size) {
    if (bar >= kPciBars) return fail(Error::NoDevice);
    probe_region(bar);
    Region const& region = regions_[bar];
    if (region.size == 0) return fail(Error::NoDevice);
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
