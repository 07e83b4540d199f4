// SPDX-License-Identifier: BSD-3-Clause
// The simulated machine has no kernel mappings. The checker itself works on the stacks of threads, too.
#pragma once

#include "base/types.hpp"

namespace tutti::arch {

inline constexpr u64 kKernelStackSize = 32768;

}  // namespace tutti::arch
