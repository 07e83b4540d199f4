// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// Sizes as people write them: "512M", "2G", "65536".

#include <cstdint>
#include <string>
#include <string_view>

namespace tutti::cli {

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;
inline constexpr std::uint64_t kGiB = 1024 * kMiB;

// Bytes. A number with an optional K, M, G or T (powers of 1024, either case, an optional "iB" or "B"
// after it); without a suffix, bytes. Throws CliError.
std::uint64_t parse_size(std::string_view text);

// The shortest exact form: "512M", "1536K", "100".
std::string format_size(std::uint64_t bytes);

}  // namespace tutti::cli
