// SPDX-License-Identifier: BSD-3-Clause
// Where devices are: none is found yet.
#include "hal/interrupts.hpp"
#include "hal/pci.hpp"
#include "hal/virtio_mmio.hpp"

namespace tutti::hal {

std::span<PciWindow const> pci_windows() { return {}; }
bool pci_ports_present() { return false; }
std::span<VirtioMmioSlot const> virtio_mmio_slots() { return {}; }

}  // namespace tutti::hal
