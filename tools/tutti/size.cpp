// SPDX-License-Identifier: BSD-3-Clause
#include "size.hpp"

#include <charconv>

#include "cli_error.hpp"

namespace tutti::cli {

std::uint64_t parse_size(std::string_view text) {
    auto const bad = [&](char const* why) {
        return CliError("'" + std::string(text) + "' is not a size: " + why + ". Write for example 512M or 2G.");
    };
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc::result_out_of_range) throw bad("too large");
    if (error != std::errc()) throw bad("no number");
    std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
    unsigned shift = 0;
    if (!suffix.empty() && suffix != "B") {
        switch (suffix.front()) {
            case 'k': case 'K': shift = 10; break;
            case 'm': case 'M': shift = 20; break;
            case 'g': case 'G': shift = 30; break;
            case 't': case 'T': shift = 40; break;
            default: throw bad("unknown unit");
        }
        suffix.remove_prefix(1);
        if (!suffix.empty() && suffix != "B" && suffix != "iB") throw bad("unknown unit");
    }
    if (number > UINT64_MAX >> shift) throw bad("too large");
    return number << shift;
}

std::string format_size(std::uint64_t bytes) {
    char const* const units[] = {"", "K", "M", "G"};
    unsigned unit = 0;
    while (unit < 3 && bytes != 0 && bytes % 1024 == 0) {
        bytes /= 1024;
        ++unit;
    }
    return std::to_string(bytes) + units[unit];
}

}  // namespace tutti::cli
