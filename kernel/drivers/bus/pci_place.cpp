// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/bus/pci_place.hpp"

#include "base/log.hpp"
#include "drivers/bus/pci_bar.hpp"
#include "drivers/bus/pci_space.hpp"

namespace tutti::drivers {
namespace {

template <class Visit>
Result<> for_each_region(PciAddress address, Visit visit) {
    for (unsigned bar = 0; bar < kPciBars; ++bar) {
        PciBar const region = pci_read_bar(address, bar);
        if (region.size != 0) TRY(visit(bar, region));
        if (region.wide) ++bar;
    }
    return {};
}

bool is_decoding(PciAddress address) { return (pci_read16(address, kPciCommand) & kPciCommandMemory) != 0; }

Result<> place_in(hal::PciWindow const& window, std::span<PciAddress const> functions) {
    PciSpace space{window.apertures};
    auto const is_ours = [&](PciAddress address) { return address.segment == window.segment && address.bus == window.first_bus; };
    for (PciAddress const address : functions)
        if (is_ours(address) && is_decoding(address))
            TRY(for_each_region(address, [&](unsigned, PciBar const& region) -> Result<> {
                if (region.address == 0) return {};
                return space.take(region.address, region.size);
            }));
    for (PciAddress const address : functions) {
        if (!is_ours(address) || is_decoding(address)) continue;
        TRY(for_each_region(address, [&](unsigned bar, PciBar region) -> Result<> {
            region.address = TRY(space.place(region.size, region.wide));
            char text[16];
            if (region.address == 0)
                log_warn("PCI {}: no room for region {} of {:#x} bytes", address.print(text), bar, region.size);
            else
                pci_place_bar(address, bar, region);
            return {};
        }));
    }
    return {};
}

}  // namespace

Result<> pci_place_regions(std::span<PciAddress const> functions) {
    for (hal::PciWindow const& window : hal::pci_windows())
        if (!window.apertures.empty()) TRY(place_in(window, functions));
    return {};
}

}  // namespace tutti::drivers
