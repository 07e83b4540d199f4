// SPDX-License-Identifier: BSD-3-Clause
#include "path_pair.hpp"

#include "cli_error.hpp"

namespace tutti::cli {

PathPair parse_path_pair(std::string const& text, std::string const& option, std::string const& form) {
    std::size_t const colon = text.rfind(':');
    PathPair pair = colon == std::string::npos ? PathPair{text, text}
                                               : PathPair{text.substr(0, colon), text.substr(colon + 1)};
    if (pair.first.empty() || pair.second.empty()) {
        throw CliError(option + " " + text + ": write it as " + option + " " + form + ".");
    }
    return pair;
}

}  // namespace tutti::cli
