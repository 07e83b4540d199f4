// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/devices.hpp"

#include "base/log.hpp"
#include "drivers/bus/pci_enumerate.hpp"
#include "drivers/bus/pci_place.hpp"
#include "drivers/console/virtio_console.hpp"
#include "drivers/link/start_link.hpp"
#include "drivers/rng/virtio_rng.hpp"
#include "drivers/virtio/mmio_transport.hpp"
#include "drivers/virtio/pci_transport.hpp"

namespace tutti::drivers {
namespace {

using Transport = std::unique_ptr<VirtioTransport>;

Result<> start_console(Transport transport) {
    auto console = TRY(VirtioConsole::create(std::move(transport)));
    TRY(start_link(*console));
    (void)console.release();  // the link's from now on, for ever
    return {};
}

void start_driver(Transport transport) {
    FixedString<32> const name{transport->name()};
    VirtioType const type = transport->type();
    Result<> started;
    switch (type) {
        case VirtioType::Console: started = start_console(std::move(transport)); break;
        case VirtioType::Entropy: started = start_virtio_rng(std::move(transport)); break;
        default:
            log_info("virtio {}: no driver for type {}", name.view(), static_cast<u32>(type));
            return;
    }
    if (started)
        log_debug("virtio {}: type {} started", name.view(), static_cast<u32>(type));
    else
        log_error("virtio {}: type {} not started: {}", name.view(), static_cast<u32>(type), started.error());
}

void start_pci_devices() {
    auto const found = pci_enumerate();
    if (!found) return log_error("PCI: {}", found.error());
    if (auto const placed = pci_place_regions(*found); !placed) return log_error("PCI: {}", placed.error());
    for (PciAddress const address : *found) {
        PciDevice device{address};
        if (!PciTransport::matches(device)) continue;
        char text[16];
        if (auto transport = PciTransport::create(std::move(device)))
            start_driver(std::move(*transport));
        else
            log_error("virtio pci {}: not usable: {}", address.print(text), transport.error());
    }
}

void start_mmio_devices() {
    for (hal::VirtioMmioSlot const& slot : hal::virtio_mmio_slots()) {
        if (auto transport = MmioTransport::create(slot))
            start_driver(std::move(*transport));
        else if (transport.error() != Error::NoDevice)
            log_error("virtio mmio {:#x}: not usable: {}", slot.base.value(), transport.error());
    }
}

}  // namespace

void initialize_devices() {
    start_pci_devices();
    start_mmio_devices();
}

}  // namespace tutti::drivers
