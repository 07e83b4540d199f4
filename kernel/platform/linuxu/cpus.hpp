// SPDX-License-Identifier: BSD-3-Clause
// CPUs: one host thread each.
#pragma once

#include "base/types.hpp"

namespace tutti::platform {

// Per-CPU areas for `count` CPUs; the calling thread becomes CPU 0.
void cpus_init(u32 count);

}  // namespace tutti::platform
