// SPDX-License-Identifier: BSD-3-Clause
#include "source_tree.hpp"

#include <climits>
#include <cstdlib>
#include <filesystem>

#include "cli_error.hpp"

namespace tutti::cli {

SourceTree::SourceTree(std::string const& root) {
    std::error_code error;
    std::filesystem::path const path = std::filesystem::canonical(root, error);
    if (error || !std::filesystem::is_directory(path)) {
        throw CliError("--root " + root + " is not a directory.");
    }
    root_ = path == "/" ? "" : path.string();
}

std::optional<Resolved> SourceTree::resolve(std::string const& guest_path) const {
    constexpr int kMaxLinks = 40;
    Resolved result;
    std::string rest = normalise_guest_path(guest_path);  // what is still to walk, starting with '/'
    std::string done;                                      // canonical so far
    while (!rest.empty() && rest != "/") {
        std::size_t const slash = rest.find('/', 1);
        std::string const part = rest.substr(0, slash);
        rest = slash == std::string::npos ? "" : rest.substr(slash);
        if (part == "/.") continue;
        if (part == "/..") {
            done = done.empty() ? "" : done.substr(0, done.rfind('/'));
            continue;
        }
        std::string const here = done + part;
        struct stat status {};
        if (::lstat(host_path(here).c_str(), &status) != 0) return std::nullopt;
        if (!S_ISLNK(status.st_mode)) {
            done = here;
            continue;
        }
        if (result.links.size() >= kMaxLinks) return std::nullopt;
        std::error_code error;
        std::string const target = std::filesystem::read_symlink(host_path(here), error).string();
        if (error || target.empty()) return std::nullopt;
        result.links.emplace_back(here, target);
        if (target.starts_with('/')) done.clear();
        // Not normalised as text: ".." after a link means the parent of where the link leads.
        std::string walk;
        for (std::size_t at = 0; at < target.size();) {
            std::size_t const end = std::min(target.find('/', at), target.size());
            if (end > at) walk += "/" + target.substr(at, end - at);
            at = end + 1;
        }
        rest = walk + rest;
    }
    result.guest_path = done.empty() ? "/" : done;
    result.host_path = host_path(result.guest_path);
    if (::lstat(result.host_path.c_str(), &result.status) != 0) return std::nullopt;
    return result;
}

void SourceTree::add(FileSet& files, Resolved const& resolved) {
    for (auto const& [path, target] : resolved.links) files.add_symlink(path, target);
    GuestEntry entry{.mode = resolved.status.st_mode, .mtime = resolved.status.st_mtim.tv_sec};
    if (S_ISREG(entry.mode)) {
        entry.size = static_cast<std::uint64_t>(resolved.status.st_size);
        entry.host_path = resolved.host_path;
    }
    files.add(resolved.guest_path, std::move(entry));
}

}  // namespace tutti::cli
