// SPDX-License-Identifier: BSD-3-Clause
// Fills hal::boot_info() during boot.
#pragma once

#include "hal/boot_info.hpp"
#include "platform/pc/start_info.hpp"

namespace tutti::platform {

void boot_info_init(StartInfo const& info);
void add_reserved(PhysRange range);
void set_cpu_count(u32 count);
void set_platform_name(char const* name);

}  // namespace tutti::platform
