// SPDX-License-Identifier: BSD-3-Clause
// What the `tutti` command asks to run, read from the manifest (hal/manifest.hpp).
#pragma once

#include <string_view>

#include "base/string.hpp"
#include "base/vector.hpp"

namespace tutti::linux_abi {

// The views point into the text that was parsed.
struct Manifest {
    std::string_view executable;
    Vector<std::string_view> arguments;
    Vector<std::string_view> environment;
    std::string_view working_directory = "/";
    Vector<std::string_view> results;  // paths to send back
    bool has_input = false;
    bool is_terminal = false;
};

using ManifestComplaint = FixedString<160>;

// Error::BadFormat with a complaint that names the record; NoMemory.
[[nodiscard]] Result<Manifest> parse_manifest(std::string_view text, ManifestComplaint& complaint);

}  // namespace tutti::linux_abi
