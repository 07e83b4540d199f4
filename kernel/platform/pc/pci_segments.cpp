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
}  // namespace

void add_pci_segment(PciSegment const& segment) {
    if (window_count == kMaxWindows) {
        log_warn("more than {} PCI segments; the rest is not used", kMaxWindows);
        return;
    }
    windows[window_count++] = {segment.ecam_base, segment.segment, segment.first_bus, segment.last_bus};
}

}  // namespace tutti::platform

namespace tutti::hal {

std::span<PciWindow const> pci_windows() { return {platform::windows, platform::window_count}; }

bool pci_ports_present() {
    // Configuration mechanism 1 answers with the enable bit that was written (PCI 3.0, 3.2.2.3.2).
    arch::out32(0xcf8, 0x80000000);
    return arch::in32(0xcf8) == 0x80000000;
}

}  // namespace tutti::hal
