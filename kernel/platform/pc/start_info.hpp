// SPDX-License-Identifier: BSD-3-Clause
// The PVH boot protocol's hand-over structure, checked before anything in it is believed.
// Source: Xen, public/arch-x86/hvm/start_info.h (the ABI description).
#pragma once

#include <span>
#include <string_view>

#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti::platform {

struct StartInfo {
    static constexpr size_t kMaxRegions = 128;

    PhysRange ram[kMaxRegions];
    size_t ram_count = 0;
    std::string_view command_line;  // in the hypervisor's memory
    PhysRange initrd;               // inside one range of ram; size 0: none
    PhysAddr rsdp;                  // null: no ACPI
};

// Reads guest-physical memory: a span over [address, address + size), or empty when that is not readable.
using PhysReader = std::span<u8 const> (*)(PhysAddr address, u64 size);

// Version 0 has no memory map: Xen gives its first domain one on request, `separate_map`, in the BIOS's format (E820,
// entries of 20 bytes). Error::BadFormat with nothing believed when the magic, a count or a range is absurd;
// Error::NotSupported when there is no memory map at all.
[[nodiscard]] Result<StartInfo> parse_start_info(PhysAddr address, PhysReader read, std::span<u8 const> separate_map = {});

}  // namespace tutti::platform
