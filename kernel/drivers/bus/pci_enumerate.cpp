// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/bus/pci_enumerate.hpp"

#include <array>

#include "hal/pci.hpp"

namespace tutti::drivers {
namespace {

constexpr u8 kVendor = 0x00;
constexpr u8 kHeaderType = 0x0e;
constexpr u8 kHeaderMultifunction = 0x80;
constexpr u8 kHeaderBridge = 0x01;
constexpr u8 kSecondaryBus = 0x19;
constexpr u16 kNobody = 0xffff;

class Scanner {
  public:
    explicit Scanner(u16 segment) : segment_{segment} {}

    // Breadth first, each bus once: bridges that point at each other end the scan instead of repeating it.
    Result<> scan(u8 root, Vector<PciAddress>& found) {
        TRY(enqueue(root));
        for (size_t next = 0; next < pending_.size(); ++next)
            if (pci_open_bus(segment_, pending_[next])) TRY(scan_bus(pending_[next], found));
        return {};
    }

  private:
    Result<> enqueue(u8 bus) {
        if (seen_[bus]) return {};
        seen_[bus] = true;
        return pending_.try_push_back(bus);
    }

    Result<> scan_bus(u8 bus, Vector<PciAddress>& found) {
        for (u8 device = 0; device < 32; ++device) {
            PciAddress address{segment_, bus, device, 0};
            if (pci_read16(address, kVendor) == kNobody) continue;
            u8 const functions = (pci_read8(address, kHeaderType) & kHeaderMultifunction) != 0 ? 8 : 1;
            for (; address.function < functions; ++address.function) {
                if (pci_read16(address, kVendor) == kNobody) continue;
                if ((pci_read8(address, kHeaderType) & 0x7f) == kHeaderBridge)
                    TRY(enqueue(pci_read8(address, kSecondaryBus)));
                else
                    TRY(found.try_push_back(address));
            }
        }
        return {};
    }

    u16 segment_;
    std::array<bool, 256> seen_{};
    Vector<u8> pending_;
};

}  // namespace

Result<Vector<PciAddress>> pci_enumerate() {
    Vector<PciAddress> found;
    if (!pci_initialize()) return found;
    if (hal::pci_windows().empty()) TRY(Scanner{0}.scan(0, found));
    for (hal::PciWindow const& window : hal::pci_windows())
        TRY(Scanner{window.segment}.scan(window.first_bus, found));
    return found;
}

}  // namespace tutti::drivers
