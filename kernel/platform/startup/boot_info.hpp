// SPDX-License-Identifier: BSD-3-Clause
// Fills hal::boot_info() during boot.
#pragma once

#include <span>
#include <string_view>

#include "base/types.hpp"

namespace tutti::platform {

// Copies what is given, and reserves the kernel image and the initial archive. After boot_allocator_init().
void boot_info_init(std::span<PhysRange const> ram, PhysRange initrd, std::string_view command_line);
// Rounded outwards to pages; nothing for an empty range. At most kMaxReserved of them.
inline constexpr size_t kMaxReserved = 24;
void add_reserved(PhysRange range);
void set_cpu_count(u32 count);
void set_platform_name(char const* name);

}  // namespace tutti::platform
