// SPDX-License-Identifier: BSD-3-Clause
// The load of the last 1, 5 and 15 minutes: threads that run or could run, averaged with exponential decay.
#pragma once

#include <array>

#include "base/types.hpp"

namespace tutti::vfs {

inline constexpr unsigned kLoadShift = 16;  // fixed-point: bits behind the point
using LoadAverages = std::array<u64, 3>;

// Once, boot CPU, scheduler running. A timer samples every five seconds from then on.
void start_load_average();
// Any context.
[[nodiscard]] LoadAverages load_averages();
// `average` after one more sample of five seconds with `runnable` threads; `minutes` is 1, 5 or 15.
[[nodiscard]] u64 decay_load(u64 average, u64 runnable, unsigned minutes);
// Threads that run or could run now.
[[nodiscard]] u32 runnable_threads();

}  // namespace tutti::vfs
