// SPDX-License-Identifier: BSD-3-Clause
// CLOCK_REALTIME: the monotonic clock plus an offset that clock_settime moves. Any context.
#pragma once

#include "base/types.hpp"

namespace tutti::vfs {

[[nodiscard]] Nanoseconds wall_clock_now();
// What to add to hal::now().
[[nodiscard]] Nanoseconds wall_clock_offset();
void set_wall_clock_offset(Nanoseconds offset);

}  // namespace tutti::vfs
