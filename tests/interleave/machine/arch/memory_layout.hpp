// SPDX-License-Identifier: BSD-3-Clause
// The simulated machine has no kernel mappings; threads stay on their CPU's stack.
#pragma once

#include "base/types.hpp"

namespace tutti::arch {

inline constexpr u64 kKernelStackSize = 16384;

}  // namespace tutti::arch
