// SPDX-License-Identifier: BSD-3-Clause
#include "file_set.hpp"

#include <utility>
#include <vector>

namespace tutti::cli {

std::string normalise_guest_path(std::string_view path) {
    std::vector<std::string_view> parts;
    while (!path.empty()) {
        std::size_t const slash = path.find('/');
        std::string_view const part = path.substr(0, slash);
        path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
        if (part.empty() || part == ".") continue;
        if (part == "..") {
            if (!parts.empty()) parts.pop_back();
        } else {
            parts.push_back(part);
        }
    }
    std::string result;
    for (std::string_view part : parts) result.append("/").append(part);
    return result.empty() ? "/" : result;
}

std::string FileSet::canonical_parent(std::string const& guest_path) const {
    std::string path = normalise_guest_path(guest_path);
    constexpr int kMaxLinks = 40;
    for (int links = 0; links < kMaxLinks; ++links) {
        bool followed = false;
        for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
            std::string const directory = path.substr(0, slash);
            auto const found = entries_.find(directory);
            if (found == entries_.end() || !S_ISLNK(found->second.mode)) continue;
            std::string const& target = found->second.content;
            std::string const base = target.starts_with('/') ? "" : directory.substr(0, directory.rfind('/'));
            path = normalise_guest_path(base + "/" + target + path.substr(slash));
            followed = true;
            break;
        }
        if (!followed) return path;
    }
    return path;  // a loop of links: pack it as named and let the guest report ELOOP
}

void FileSet::add(std::string const& guest_path, GuestEntry entry) {
    std::string const path = canonical_parent(guest_path);
    if (path == "/") return;
    std::string const parent = path.substr(0, path.rfind('/'));
    if (!parent.empty() && !entries_.contains(parent)) add_directory(parent);
    auto const found = entries_.find(path);
    // A directory over a link to a directory would cut the link off (/lib must stay a link to usr/lib), and
    // a link over a directory would orphan what is in it.
    if (found != entries_.end() && S_ISDIR(entry.mode) && S_ISLNK(found->second.mode)) return;
    if (found != entries_.end() && S_ISLNK(entry.mode) && S_ISDIR(found->second.mode)) return;
    entries_.insert_or_assign(path, std::move(entry));
}

void FileSet::add_directory(std::string const& guest_path, mode_t permissions) {
    std::string const path = normalise_guest_path(guest_path);
    if (auto const found = entries_.find(path); found != entries_.end() && S_ISDIR(found->second.mode)) return;
    add(path, {.mode = S_IFDIR | permissions});
}

void FileSet::add_text(std::string const& guest_path, std::string content, mode_t permissions) {
    std::uint64_t const size = content.size();
    add(guest_path, {.mode = S_IFREG | permissions, .size = size, .content = std::move(content)});
}

void FileSet::add_symlink(std::string const& guest_path, std::string target) {
    add(guest_path, {.mode = S_IFLNK | 0777, .content = std::move(target)});
}

std::uint64_t FileSet::total_bytes() const {
    std::uint64_t total = 0;
    for (auto const& [path, entry] : entries_) total += entry.size;
    return total;
}

}  // namespace tutti::cli
