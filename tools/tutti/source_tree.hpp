// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// The directory tree that programs and libraries are taken from: the host's own, or one given with --root.
// Paths into it are guest paths; symbolic links are followed inside the tree, as after chroot(2).

#include <sys/stat.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "file_set.hpp"

namespace tutti::cli {

// What a guest path leads to.
struct Resolved {
    std::string guest_path;  // canonical: no link left in it
    std::string host_path;   // where it is on the host
    struct stat status {};   // of the file it leads to
    std::vector<std::pair<std::string, std::string>> links;  // (guest path, target) of each link followed, in order
};

class SourceTree {
  public:
    // `root`: an existing directory. Throws CliError.
    explicit SourceTree(std::string const& root = "/");

    // Follows `guest_path` to a file of any kind; nothing when it does not exist.
    [[nodiscard]] std::optional<Resolved> resolve(std::string const& guest_path) const;
    // Adds the file with every link on the way to it.
    static void add(FileSet& files, Resolved const& resolved);

    [[nodiscard]] std::string const& root() const { return root_; }
    [[nodiscard]] bool is_host() const { return root_.empty(); }
    // "/usr" -> "<root>/usr", without following links.
    [[nodiscard]] std::string host_path(std::string const& guest_path) const { return root_ + guest_path; }

  private:
    std::string root_;  // without a trailing slash; empty for the host's own tree
};

}  // namespace tutti::cli
