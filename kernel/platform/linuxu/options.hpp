// SPDX-License-Identifier: BSD-3-Clause
// The command line of the process.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "base/types.hpp"

namespace tutti::platform {

struct DiskOption {
    char const* path = nullptr;
    bool read_only = false;
};
inline constexpr size_t kMaxDisks = 16;

struct Options {
    u32 cpus = 1;
    u64 memory = u64{256} << 20;         // bytes, whole pages
    int initrd_file = -1;                // descriptors that the process was started with, or -1
    int link_file = -1;
    char const* tap = nullptr;           // an interface of the host, or none
    std::array<DiskOption, kMaxDisks> disks{};
    size_t disk_count = 0;
    std::string_view kernel_arguments;   // the words that are no options, as on a kernel's command line
};

// Complains on standard error and ends the process when it cannot be understood.
[[nodiscard]] Options parse_options(int count, char** words);
// The same for an option whose value turns out to be no good: a sentence and exit status 2.
[[noreturn]] void end_before_boot(std::string_view option, std::string_view value, std::string_view why);

}  // namespace tutti::platform
