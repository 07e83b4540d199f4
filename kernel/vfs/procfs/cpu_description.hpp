// SPDX-License-Identifier: BSD-3-Clause
// What /proc/cpuinfo and /sys say about the processors; implemented for each architecture (procfs/ARCH).
#pragma once

#include "base/result.hpp"
#include "base/string.hpp"

namespace tutti::vfs {

// /proc/cpuinfo, in the format that the architecture has on Linux. Asks every CPU about itself: Thread context.
Result<> generate_cpu_information(u64, String& text);

struct CacheDescription {
    u32 level = 0;
    std::string_view type;  // "Data", "Instruction", "Unified"
    u32 line_size = 0, ways = 0, sets = 0, partitions = 1;
    u32 sharing = 1;  // CPUs that may share it

    [[nodiscard]] u64 size() const { return u64{line_size} * ways * sets * partitions; }
};
[[nodiscard]] u32 cache_count();
// index < cache_count().
[[nodiscard]] CacheDescription cache_description(u32 index);

}  // namespace tutti::vfs
