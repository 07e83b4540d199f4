// SPDX-License-Identifier: BSD-3-Clause
#include "companions.hpp"

#include <array>
#include <regex>
#include <string_view>

namespace tutti::cli {
namespace {

// `program` is matched against the canonical file name; $1 is its first group and {prefix} the directory
// above the program's own ("/usr" for /usr/bin/x), {multiarch} Debian's name of the architecture.
struct Row {
    std::string_view program;
    std::array<std::string_view, 4> paths;
    std::array<std::string_view, 6> excluded_names;
};
constexpr Row kPrograms[] = {
    {"python(3\\.[0-9]+)", {"{prefix}/lib/python$1"},
     {"test", "tests", "idlelib", "lib2to3", "site-packages", "dist-packages"}},
    {"perl(?:5[.0-9]*)?", {"{prefix}/lib/{multiarch}/perl-base", "{prefix}/lib/{multiarch}/perl",
                           "{prefix}/share/perl", "{prefix}/share/perl5"}, {}},
    {"ruby([0-9.]+)", {"{prefix}/lib/ruby"}, {}},
    {"tclsh([0-9.]+)", {"{prefix}/share/tcltk/tcl$1"}, {}},
};

struct LibraryRow {
    std::string_view library;    // when a file of this name is packed,
    std::string_view companion;  // this one is too, if it exists
};
constexpr LibraryRow kLibraries[] = {
    {"libc.so.6", "libgcc_s.so.1"},
};

std::string substitute(std::string_view pattern, std::string const& prefix, std::string_view multiarch, std::smatch const& match) {
    std::string text(pattern);
    if (std::size_t const at = text.find("{prefix}"); at != std::string::npos) text.replace(at, 8, prefix);
    if (std::size_t const at = text.find("{multiarch}"); at != std::string::npos) text.replace(at, 11, multiarch);
    if (std::size_t const at = text.find("$1"); at != std::string::npos) text.replace(at, 2, match[1].str());
    return text;
}

}  // namespace

Companions companions_of_program(SourceTree const& tree, Architecture architecture, std::string const& guest_path) {
    Companions result;
    std::size_t const slash = guest_path.rfind('/');
    std::string const name = guest_path.substr(slash + 1);
    std::string const directory = guest_path.substr(0, slash);
    std::string prefix = directory.substr(0, directory.rfind('/'));
    if (prefix.empty()) prefix = "/usr";
    for (Row const& row : kPrograms) {
        std::smatch match;
        if (!std::regex_match(name, match, std::regex(std::string(row.program)))) continue;
        for (std::string_view pattern : row.paths) {
            if (pattern.empty()) continue;
            std::string path = substitute(pattern, prefix, info(architecture).multiarch, match);
            if (tree.resolve(path)) result.paths.push_back(std::move(path));
        }
        for (std::string_view excluded : row.excluded_names) {
            if (!excluded.empty()) result.excluded_names.emplace_back(excluded);
        }
    }
    return result;
}

std::vector<std::string> companion_libraries(FileSet const& files) {
    std::vector<std::string> names;
    for (LibraryRow const& row : kLibraries) {
        for (auto const& [path, entry] : files.entries()) {
            if (path.ends_with("/" + std::string(row.library))) {
                names.emplace_back(row.companion);
                break;
            }
        }
    }
    return names;
}

}  // namespace tutti::cli
