// SPDX-License-Identifier: BSD-3-Clause
// One PCI function: identity, capabilities, memory regions (BARs) and MSI-X. PCI Local Bus 3.0, chapter 6.
// What the device says is checked: lists end, regions stay inside their size. Thread context; one driver owns a device.
#pragma once

#include "drivers/bus/pci_bar.hpp"
#include "drivers/bus/pci_config.hpp"
#include "drivers/bus/registers.hpp"
#include "hal/interrupts.hpp"

namespace tutti::drivers {

inline constexpr u8 kPciCapabilityVendor = 0x09;
inline constexpr u8 kPciCapabilityMsiX = 0x11;

class PciDevice {
  public:
    // A function that is there (pci_enumerate found it).
    explicit PciDevice(PciAddress address)
        : address_{address}, vendor_{pci_read16(address, 0)}, device_{pci_read16(address, 2)} {}

    [[nodiscard]] PciAddress address() const { return address_; }
    [[nodiscard]] hal::MessageSource message_source() const {
        return {address_.segment, static_cast<u16>(address_.bus << 8 | address_.device << 3 | address_.function)};
    }
    [[nodiscard]] u16 vendor() const { return vendor_; }
    [[nodiscard]] u16 device() const { return device_; }

    [[nodiscard]] u8 read8(u8 offset) const { return pci_read8(address_, offset); }
    [[nodiscard]] u16 read16(u8 offset) const { return pci_read16(address_, offset); }
    [[nodiscard]] u32 read32(u8 offset) const { return pci_read32(address_, offset); }

    // Lets the device answer at its memory addresses, read and write RAM, and interrupt in this way.
    enum class Interrupts : u8 { Messages, Pin };
    void enable(Interrupts interrupts);
    // The reverse: it touches nothing any more.
    void disable();

    // Calls visit(offset, id) for each capability until it says false. Ends on a list that loops or leaves the space.
    template <class Visit>
    void for_each_capability(Visit visit) const {
        constexpr u16 kStatusHasCapabilities = 1u << 4;
        if ((read16(0x06) & kStatusHasCapabilities) == 0) return;
        u8 offset = read8(0x34) & 0xfc;
        // 48 capabilities of 4 bytes fill the space above the header.
        for (int steps = 0; offset >= 0x40 && steps < 48; ++steps) {
            if (!visit(offset, read8(offset))) return;
            offset = read8(static_cast<u8>(offset + 1)) & 0xfc;
        }
    }

    // Maps [offset, offset + size) of a memory region. Error::NoDevice: no such region, or nobody gave it an address;
    // OutOfRange: it is smaller. Regions are sized on first use, with the device disabled: before enable().
    [[nodiscard]] Result<Registers> map_region(unsigned bar, u64 offset, u64 size);

    // Entries of the MSI-X table; 0 without MSI-X or with a table that does not fit.
    [[nodiscard]] u16 message_count() const { return message_count_; }
    // Finds and maps the MSI-X table, all entries masked. Before enable().
    [[nodiscard]] Result<> initialize_messages();
    // Points entry `index` < message_count() at an interrupt and unmasks it.
    void set_message(u16 index, hal::InterruptMessage message);
    // Turns MSI-X on, after the entries are set.
    void enable_messages();

  private:
    struct Region {
        PhysAddr base;
        u64 size = 0;  // 0: none
        bool probed = false;
    };
    void probe_region(unsigned bar);

    PciAddress address_;
    u16 vendor_;
    u16 device_;
    u16 message_count_ = 0;
    u8 message_capability_ = 0;
    Registers message_table_;
    Region regions_[kPciBars];
};

}  // namespace tutti::drivers
