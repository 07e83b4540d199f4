// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// Files that a program opens although nothing in its ELF header says so: an interpreter's standard library,
// a library's helper that it loads by name. A table, so that a further program is a further row.

#include <string>
#include <vector>

#include "architecture.hpp"
#include "file_set.hpp"
#include "source_tree.hpp"

namespace tutti::cli {

// Guest paths (files or directories) that exist in `tree` and go with the program at `guest_path` (its
// canonical path). Also the names of directories beneath them that are left out.
struct Companions {
    std::vector<std::string> paths;
    std::vector<std::string> excluded_names;
};
Companions companions_of_program(SourceTree const& tree, Architecture architecture, std::string const& guest_path);

// The same for what is packed already: for example libgcc_s.so.1 where libc.so.6 is, because glibc loads it
// by name when a thread is cancelled or exits.
std::vector<std::string> companion_libraries(FileSet const& files);

}  // namespace tutti::cli
