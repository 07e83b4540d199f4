// SPDX-License-Identifier: BSD-3-Clause
// The command line of the process.
#pragma once

#include <string_view>

#include "base/types.hpp"

namespace tutti::platform {

struct Options {
    u32 cpus = 1;
    u64 memory = u64{256} << 20;         // bytes, whole pages
    int initrd_file = -1;                // descriptors that the process was started with, or -1
    int link_file = -1;
    std::string_view kernel_arguments;   // the words that are no options, as on a kernel's command line
};

// Complains on standard error and ends the process when it cannot be understood.
[[nodiscard]] Options parse_options(int count, char** words);

}  // namespace tutti::platform
