// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// The two paths of --copy HOST:GUEST and --out GUEST:HOST.

#include <string>

namespace tutti::cli {

struct PathPair {
    std::string first;
    std::string second;
};

// Splits at the last colon; `option` and `form` are for the message ("--copy", "HOST:GUEST"). Without a
// colon, both paths are `text`. Throws CliError when a side is empty.
PathPair parse_path_pair(std::string const& text, std::string const& option, std::string const& form);

}  // namespace tutti::cli
