// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/bus/registers.hpp"

#include "mem/paging/kernel_map.hpp"

namespace tutti::drivers {

Result<Registers> Registers::map(PhysAddr address, u64 size) {
    constexpr u64 kPhysicalLimit = u64{1} << 52;
    if (size == 0 || !range_within(address.value(), size, kPhysicalLimit)) return fail(Error::InvalidArgument);
    void* const base = TRY(mem::map_device(address, size));
    return Registers{static_cast<u8*>(base), static_cast<size_t>(size)};
}

}  // namespace tutti::drivers
