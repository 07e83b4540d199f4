// SPDX-License-Identifier: BSD-3-Clause
#include "platform/virt/devices.hpp"

#include "hal/pci.hpp"
#include "hal/virtio_mmio.hpp"

namespace tutti::platform {
namespace {

constinit TreeDevices found{};
constinit hal::PciWindow windows[TreeDevices::kMaxHosts]{};

}  // namespace

void find_devices(std::span<u8 const> blob, DeviceTree const& tree) {
    read_tree_devices(blob, tree, found);
    for (size_t i = 0; i < found.host_count; ++i) {
        PciHost const& host = found.hosts[i];
        windows[i] = {host.configuration.base, host.segment, host.first_bus, host.last_bus, {host.apertures, host.aperture_count}};
    }
}

TreeDevices const& tree_devices() { return found; }

std::optional<u32> message_device(hal::MessageSource source) {
    for (size_t i = 0; i < found.host_count; ++i)
        if (found.hosts[i].segment == source.segment) return found.hosts[i].message_device(source.requester);
    return std::nullopt;
}

}  // namespace tutti::platform

namespace tutti::hal {

using platform::found;

std::span<VirtioMmioSlot const> virtio_mmio_slots() { return {found.slots, found.slot_count}; }
std::span<PciWindow const> pci_windows() { return {platform::windows, found.host_count}; }
PciPorts const* pci_ports() { return nullptr; }

std::optional<InterruptLine> pci_pin_line(u16 segment, u8 device, u8 pin) {
    for (size_t i = 0; i < found.host_count; ++i)
        if (found.hosts[i].segment == segment) return found.hosts[i].pin_line(device, pin);
    return std::nullopt;
}

}  // namespace tutti::hal
