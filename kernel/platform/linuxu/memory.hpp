// SPDX-License-Identifier: BSD-3-Clause
// RAM: one mapping of the process in the place of the direct map.
#pragma once

#include "platform/linuxu/options.hpp"

namespace tutti::platform {

// Makes RAM and hal::boot_info().
void memory_init(Options const& options);
// Zeroed memory for the platform itself, page-aligned, for good.
[[nodiscard]] void* host_allocate(u64 size);

}  // namespace tutti::platform
