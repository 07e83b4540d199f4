// SPDX-License-Identifier: BSD-3-Clause
#include "platform/pc/pci_segments.hpp"

#include "arch/cpu.hpp"
#include "base/log.hpp"
#include "hal/pci.hpp"

namespace tutti::platform {
namespace {
constexpr size_t kMaxWindows = 8;
constinit hal::PciWindow windows[kMaxWindows]{};
constinit size_t window_count = 0;

constexpr u16 kSelectorPort = 0xcf8;
constexpr u16 kDataPort = 0xcfc;

u32 read_port(u32 selector) {
    arch::out32(kSelectorPort, selector);
    return arch::in32(kDataPort);
}
void write_port(u32 selector, u32 value) {
    arch::out32(kSelectorPort, selector);
    arch::out32(kDataPort, value);
}

}  // namespace

void add_pci_segment(PciSegment const& segment) {
    if (window_count == kMaxWindows) {
        log_warn("more than {} PCI segments; the rest is not used", kMaxWindows);
        return;
    }
    windows[window_count++] = {segment.ecam_base, segment.segment, segment.first_bus, segment.last_bus, {}};
}

}  // namespace tutti::platform

namespace tutti::hal {

std::span<PciWindow const> pci_windows() { return {platform::windows, platform::window_count}; }

PciPorts const* pci_ports() {
    static constinit PciPorts const ports{platform::read_port, platform::write_port};
    // Configuration mechanism 1 answers with the enable bit that was written (PCI 3.0, 3.2.2.3.2).
    arch::out32(platform::kSelectorPort, 0x80000000);
    return arch::in32(platform::kSelectorPort) == 0x80000000 ? &ports : nullptr;
}

// ACPI says it in its own language, which we do not read: devices use messages.
std::optional<InterruptLine> pci_pin_line(u16, u8, u8) { return std::nullopt; }

}  // namespace tutti::hal
