// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// Adds ELF programs with everything their dynamic loader will open: the interpreter and, recursively, the
// shared libraries, found in the loader's own order (ld.so(8)): DT_RPATH of the object and of those that
// loaded it, LD_LIBRARY_PATH, DT_RUNPATH of the object, /etc/ld.so.cache, the default directories.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "elf_file.hpp"
#include "file_set.hpp"
#include "library_cache.hpp"
#include "source_tree.hpp"

namespace tutti::cli {

class ElfClosure {
  public:
    // `library_path`: the guest's LD_LIBRARY_PATH, or empty. The references must outlive this object. On a host of another
    // architecture, a cross compiler's libraries (/usr/aarch64-linux-gnu) are taken too, where the host's own tree has none.
    ElfClosure(SourceTree const& tree, Architecture architecture, FileSet& files, std::string const& library_path);

    // The closure of an object that will lie at `guest_path` (for $ORIGIN) and whose bytes are at
    // `host_path`; the object itself is the caller's to add. Anything but an ELF file of
    // the architecture has no closure. Throws CliError, with every missing library, when `strict`; otherwise returns their names.
    std::vector<std::string> add(std::string const& guest_path, std::string const& host_path, bool strict);

    // A library by name with its own closure, where the loader of a plain program would find it. False when
    // it is not there.
    bool add_library(std::string const& name);

  private:
    struct Object {
        std::string guest_path;
        ElfInfo info;
        Object const* loader = nullptr;  // who asked for it
    };

    void add_dependencies(Object const& object, std::vector<std::string>& missing);
    std::optional<Resolved> find(std::string const& name, Object const& object) const;
    std::optional<Resolved> find_in(std::vector<std::string> const& directories, std::string const& name,
                                    std::string const& origin) const;
    std::optional<Resolved> usable(std::string const& guest_path) const;

    SourceTree const& tree_;
    Architecture architecture_;
    std::string cross_directory_;  // where a cross compiler has this architecture's tree; empty: not to be looked at
    FileSet& files_;
    std::vector<std::string> library_path_;
    LibraryCache cache_;
    std::set<std::string> visited_;  // canonical guest paths
};

}  // namespace tutti::cli
