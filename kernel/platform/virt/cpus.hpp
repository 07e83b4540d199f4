// SPDX-License-Identifier: BSD-3-Clause
// The CPUs of the device tree: per-CPU areas, stacks, start-up.
#pragma once

#include <span>

#include "base/types.hpp"

namespace tutti::platform {

// After kernel_tables_init(). `affinities` is by the tree's order and stays valid; the boot CPU is moved to its front.
void cpus_init(std::span<u64> affinities);
[[nodiscard]] u64 affinity_of(CpuId cpu);

}  // namespace tutti::platform
