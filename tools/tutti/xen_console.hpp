// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// What Xen prints: its own words and the guest's, told apart line by line.

#include <optional>
#include <string_view>

namespace tutti::cli {

// A line without its end. The guest's part of it, or nothing when it is Xen's own. The first domain's lines come as they
// are; those of others after "(d1) " (its hypercall console) or "(XEN) DOM1: " (its vpl011).
[[nodiscard]] std::optional<std::string_view> guest_line(std::string_view line);

}  // namespace tutti::cli
