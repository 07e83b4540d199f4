// SPDX-License-Identifier: BSD-3-Clause
// Gives device memory its place in the apertures of a host bridge: regions are powers of two, aligned to their size.
// Portable; host-tested. One thread.
#pragma once

#include <algorithm>
#include <optional>
#include <span>

#include "base/bits.hpp"
#include "base/vector.hpp"
#include "hal/pci.hpp"

namespace tutti::drivers {

class PciSpace {
  public:
    explicit PciSpace(std::span<hal::PciAperture const> apertures) : apertures_{apertures} {}

    // Keeps [address, address + size) on the bus from being given away. Error::NoMemory.
    [[nodiscard]] Result<> take(u64 address, u64 size) { return taken_.try_push_back({address, size}); }

    // A free bus address for a region of `size`, taken from now on; 0 when there is none (no region lies at 0). A region
    // whose register has 64 bits goes above 4 GiB if it can, the room below is for the others.
    [[nodiscard]] Result<u64> place(u64 size, bool wide) {
        if (!is_power_of_two(size)) return u64{0};
        for (bool const high : {true, false}) {
            if (high && !wide) continue;
            for (hal::PciAperture const& aperture : apertures_) {
                if ((aperture.bus_address >= kLowEnd) != high) continue;
                u64 const address = find(aperture, size, high ? ~u64{0} : kLowEnd);
                if (address == 0) continue;
                TRY(take(address, size));
                return address;
            }
        }
        return u64{0};
    }

  private:
    static constexpr u64 kLowEnd = u64{1} << 32;
    struct Range {
        u64 address;
        u64 size;
    };

    u64 find(hal::PciAperture const& aperture, u64 size, u64 limit) const {
        u64 const end = std::min(limit, aperture.bus_address + aperture.size);
        for (u64 at = std::max(aperture.bus_address, size); at < end;) {
            u64 const address = (at + size - 1) & ~(size - 1);
            if (address < at || address >= end || size > end - address) return 0;
            Range const* const other = std::find_if(taken_.begin(), taken_.end(), [&](Range const& range) {
                return address < range.address + range.size && range.address < address + size;
            });
            if (other == taken_.end()) return address;
            at = other->address + other->size;
        }
        return 0;
    }

    std::span<hal::PciAperture const> apertures_;
    Vector<Range> taken_;
};

}  // namespace tutti::drivers
