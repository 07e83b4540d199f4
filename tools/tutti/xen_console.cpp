// SPDX-License-Identifier: BSD-3-Clause
#include "xen_console.hpp"

namespace tutti::cli {

std::optional<std::string_view> guest_line(std::string_view line) {
    for (std::string_view const prefix : {std::string_view("(d1) "), std::string_view("(XEN) DOM1: ")}) {
        if (line.starts_with(prefix)) return line.substr(prefix.size());
    }
    if (line.starts_with("(XEN)") || line.empty()) return std::nullopt;
    return line;
}

}  // namespace tutti::cli
