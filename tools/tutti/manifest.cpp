// SPDX-License-Identifier: BSD-3-Clause
#include "manifest.hpp"

#include <string_view>

#include "cli_error.hpp"

namespace tutti::cli {

std::string Manifest::encode() const {
    std::string text;
    auto const record = [&](std::string_view key, std::string_view value) {
        if (value.find('\0') != std::string_view::npos) throw CliError("A NUL byte cannot be passed to the guest.");
        text.append(key).append("=").append(value).push_back('\0');
    };
    record("exe", executable);
    for (std::string const& argument : arguments) record("arg", argument);
    for (std::string const& variable : environment) record("env", variable);
    record("cwd", working_directory);
    for (std::string const& path : outputs) record("out", path);
    record("stdin", input_from_link ? "link" : "null");
    record("tty", terminal ? "1" : "0");
    return text;
}

}  // namespace tutti::cli
