// SPDX-License-Identifier: BSD-3-Clause
// Crashes on purpose, so that crash reports can be tested: `crash=KIND` on the command line of a debug kernel.
#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

namespace tutti::init {

inline constexpr std::string_view kCrashKinds[] = {"null",  "divide",     "invalid", "text",   "data",    "user",
                                                   "stack", "boot_stack", "idle_stack", "bug",  "nested",  "all_cpus"};
[[nodiscard]] constexpr bool is_crash_kind(std::string_view kind) {
    return std::find(std::begin(kCrashKinds), std::end(kCrashKinds), kind) != std::end(kCrashKinds);
}

// All CPUs are up. Returns only if the crash did not happen.
void crash_on_purpose(std::string_view kind);

}  // namespace tutti::init
