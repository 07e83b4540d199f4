// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/bus/pci_config.hpp"

#include <algorithm>

#include "base/vector.hpp"
#include "drivers/bus/registers.hpp"
#include "hal/pci.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::drivers {
namespace {

constexpr u64 kBusSize = u64{1} << 20;  // ECAM: 32 devices of 8 functions of 4 KiB

struct OpenBus {
    u16 segment;
    u8 bus;
    Registers registers;
};

enum class Access : u8 { None, Windows, Ports };
constinit Access g_access = Access::None;
constinit hal::PciPorts const* g_ports = nullptr;
// Filled while devices are enumerated, by one thread; read-only later. Lives for ever.
constinit Vector<OpenBus>* g_open_buses = nullptr;

// Guards the port pair: selector and data belong together.
constinit smp::SpinLock g_port_lock{smp::LockRank::Driver, "PCI configuration ports"};

Registers const* find_bus(u16 segment, u8 bus) {
    auto const found = std::find_if(g_open_buses->begin(), g_open_buses->end(), [&](OpenBus const& open) {
        return open.segment == segment && open.bus == bus;
    });
    return found == g_open_buses->end() ? nullptr : &found->registers;
}

size_t window_offset(PciAddress address, u8 offset) {
    return size_t{address.device} << 15 | size_t{address.function} << 12 | offset;
}

u32 port_selector(PciAddress address, u8 offset) {
    return 0x80000000u | u32{address.bus} << 16 | u32{address.device} << 11 | u32{address.function} << 8 |
           (offset & 0xfcu);
}

}  // namespace

Result<> pci_initialize() {
    if (!hal::pci_windows().empty()) {
        g_open_buses = new (std::nothrow) Vector<OpenBus>;
        if (g_open_buses == nullptr) return fail(Error::NoMemory);
        g_access = Access::Windows;
        return {};
    }
    g_ports = hal::pci_ports();
    if (g_ports == nullptr) return fail(Error::NoDevice);
    g_access = Access::Ports;
    return {};
}

Result<> pci_open_bus(u16 segment, u8 bus) {
    if (g_access == Access::Ports) {
        if (segment != 0) return fail(Error::NotFound);
        return {};
    }
    if (find_bus(segment, bus) != nullptr) return {};
    for (hal::PciWindow const& window : hal::pci_windows()) {
        if (window.segment != segment || bus < window.first_bus || bus > window.last_bus) continue;
        PhysAddr const base = window.base + u64{static_cast<u8>(bus - window.first_bus)} * kBusSize;
        Registers const registers = TRY(Registers::map(base, kBusSize));
        return g_open_buses->try_push_back({segment, bus, registers});
    }
    return fail(Error::NotFound);
}

u32 pci_read32(PciAddress address, u8 offset) {
    ASSERT(offset % 4 == 0);
    if (g_access == Access::Ports) {
        smp::SpinIrqGuard guard{g_port_lock};
        return g_ports->read(port_selector(address, offset));
    }
    Registers const* const bus = find_bus(address.segment, address.bus);
    return bus == nullptr ? ~u32{0} : bus->read32(window_offset(address, offset));
}

std::optional<PhysAddr> pci_physical_address(u16 segment, u64 bus_address, u64 size) {
    bool translated = false;
    for (hal::PciWindow const& window : hal::pci_windows()) {
        if (window.segment != segment) continue;
        for (hal::PciAperture const& aperture : window.apertures) {
            translated = true;
            if (bus_address < aperture.bus_address) continue;
            u64 const offset = bus_address - aperture.bus_address;
            if (range_within(offset, size, aperture.size)) return aperture.base + offset;
        }
    }
    if (translated) return std::nullopt;
    return PhysAddr{bus_address};
}

u16 pci_read16(PciAddress address, u8 offset) {
    return static_cast<u16>(pci_read32(address, static_cast<u8>(offset & ~3u)) >> (offset % 4 * 8));
}
u8 pci_read8(PciAddress address, u8 offset) {
    return static_cast<u8>(pci_read32(address, static_cast<u8>(offset & ~3u)) >> (offset % 4 * 8));
}

void pci_write32(PciAddress address, u8 offset, u32 value) {
    ASSERT(offset % 4 == 0);
    if (g_access == Access::Ports) {
        smp::SpinIrqGuard guard{g_port_lock};
        g_ports->write(port_selector(address, offset), value);
        return;
    }
    if (Registers const* const bus = find_bus(address.segment, address.bus))
        bus->write32(window_offset(address, offset), value);
}

// The other half of the word keeps what it reads as: not for registers beside a write-one-to-clear half.
void pci_write16(PciAddress address, u8 offset, u16 value) {
    u8 const word = static_cast<u8>(offset & ~3u);
    unsigned const shift = offset % 4 * 8;
    u32 const before = pci_read32(address, word);
    pci_write32(address, word, (before & ~(u32{0xffff} << shift)) | u32{value} << shift);
}

}  // namespace tutti::drivers
