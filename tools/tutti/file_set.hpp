// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// The files a guest starts with, by guest path, before they are packed.

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tutti::cli {

// One file, directory or symbolic link of the guest.
struct GuestEntry {
    mode_t mode = 0;           // st_mode: type and permissions
    std::int64_t mtime = 0;    // seconds since 1970
    std::uint64_t size = 0;    // bytes of a regular file
    std::string host_path;     // where a regular file's bytes are; empty: they are in `content`
    std::string content;       // bytes of a generated file, or a symbolic link's target
};

// "/a//b/./c" -> "/a/b/c"; ".." is resolved textually and never leaves the root. Always absolute.
std::string normalise_guest_path(std::string_view path);

class FileSet {
  public:
    // Each adds parents that are missing (mode 755). A path that is there already is kept when `entry` is
    // equivalent in kind and replaced otherwise: what the user names later wins over what was found earlier.
    void add(std::string const& guest_path, GuestEntry entry);
    void add_directory(std::string const& guest_path, mode_t permissions = 0755);
    void add_text(std::string const& guest_path, std::string content, mode_t permissions = 0644);
    void add_symlink(std::string const& guest_path, std::string target);

    [[nodiscard]] bool contains(std::string const& guest_path) const { return entries_.contains(guest_path); }
    // Where a path leads through the set's own symbolic links in its directories ("/lib/x" -> "/usr/lib/x"
    // when /lib is a link to usr/lib), so that nothing is packed beneath a link.
    [[nodiscard]] std::string canonical_parent(std::string const& guest_path) const;

    // Sorted by path, so a directory comes before what is in it.
    [[nodiscard]] std::map<std::string, GuestEntry> const& entries() const { return entries_; }
    [[nodiscard]] std::uint64_t total_bytes() const;

  private:
    std::map<std::string, GuestEntry> entries_;
};

}  // namespace tutti::cli
