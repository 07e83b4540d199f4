// SPDX-License-Identifier: BSD-3-Clause
// The kernel command line: words of the form key=value. A word that we do not know is an error, not a shrug.
#pragma once

#include <string_view>

#include "base/log.hpp"
#include "base/result.hpp"
#include "base/string.hpp"

namespace tutti::init {

struct CommandLine {
    LogLevel log_level = LogLevel::Warn;
    std::string_view heap;   // back end; empty: the default
    bool link_on_console = false;  // the host link has no port of its own
    bool devices_in_tests = false;  // the unit-test image starts the devices, too
    std::string_view tests;  // glob of unit tests; empty: all
    u64 seed = 0;            // of randomised tests; 0: from the clock
    std::string_view crash;  // debug kernels only: the way to crash, once all CPUs are up; empty: none
};

// On failure (Error::InvalidArgument) `complaint` names the word and what would be right.
[[nodiscard]] Result<CommandLine> parse_command_line(std::string_view text, FixedString<160>& complaint);

}  // namespace tutti::init
