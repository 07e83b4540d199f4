// SPDX-License-Identifier: BSD-3-Clause
// The battery-backed clock of the PC. Source: Motorola MC146818A data sheet.
#pragma once

#include "base/types.hpp"

namespace tutti::platform {

// Seconds resolution, as time since 1970-01-01 UTC; zero when there is no such clock.
[[nodiscard]] Nanoseconds read_cmos_clock();

}  // namespace tutti::platform
