// SPDX-License-Identifier: BSD-3-Clause
// Memory before the frame allocator exists: one piece of RAM, given out from its top.
#pragma once

#include "base/types.hpp"

namespace tutti::platform {

// The piece; mapped at the direct map's addresses for it.
void boot_allocator_init(PhysRange arena);
// Takes RAM, zeroed, in whole pages, and remembers it as reserved. Boot CPU only; never freed. Stops the machine when
// there is none.
[[nodiscard]] void* boot_allocate(u64 size, u64 alignment);
// No boot allocation after this. What was taken is part of boot_info().reserved.
void boot_allocator_finish();

}  // namespace tutti::platform
