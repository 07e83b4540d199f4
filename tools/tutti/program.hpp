// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// Finds the program to run and, for a script, who runs it.

#include <string>
#include <vector>

#include "architecture.hpp"
#include "source_tree.hpp"

namespace tutti::cli {

struct Program {
    std::string executable;              // guest path the kernel executes: the program, or its interpreter
    std::vector<std::string> arguments;  // argv for it
    Architecture architecture = Architecture::X86_64;  // of that ELF file
    std::vector<Resolved> files;         // the program and, for a script, each interpreter; the last is ELF
};

// `command[0]` is a name to look up in `search_path` ("/usr/bin:/bin") inside `tree`, or a path. A path is
// the host's (a relative one from the current directory) when `tree` is the host's, else the tree's. A
// script's `#!` line is followed as execve(2) does; `#!/usr/bin/env NAME` is looked up here, because a guest
// runs one program. Throws CliError with status kNotFound or kNotExecutable.
Program find_program(SourceTree const& tree, std::vector<std::string> const& command, std::string const& search_path);

}  // namespace tutti::cli
