// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// What the guest is asked to run, written as kernel/hal/manifest.hpp defines.

#include <string>
#include <vector>

namespace tutti::cli {

struct Manifest {
    std::string executable;                // absolute guest path
    std::vector<std::string> arguments;    // argv, with argv[0]
    std::vector<std::string> environment;  // "K=V"
    std::string working_directory = "/";
    std::vector<std::string> outputs;  // guest paths sent back after the program
    bool input_from_link = false;
    bool terminal = false;

    // Throws CliError when a value holds a NUL.
    [[nodiscard]] std::string encode() const;
};

}  // namespace tutti::cli
