// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// Collects everything a guest starts with: the standard directories, a minimal /etc, the program with its
// closure and companions, and what the user names with --copy.

#include <string>
#include <vector>

#include "elf_closure.hpp"
#include "file_set.hpp"
#include "program.hpp"
#include "source_tree.hpp"

namespace tutti::cli {

class GuestFiles {
  public:
    GuestFiles(SourceTree const& tree, Architecture architecture, std::string const& library_path);

    // The program, its interpreters, libraries and companions. Throws CliError when a library is missing.
    void add_program(Program const& program);
    // A host file or directory (recursively) at `guest_path`; one that ends with '/' names the directory to
    // put it in. ELF files bring their libraries, those missing are listed in notes(). Throws CliError.
    void add_copy(std::string const& host_path, std::string const& guest_path);
    void add_working_directory(std::string const& guest_path);
    // Last: what goes with libraries packed so far.
    void finish();

    [[nodiscard]] FileSet const& files() const { return files_; }
    [[nodiscard]] std::vector<std::string> const& notes() const { return notes_; }

  private:
    void add_skeleton();
    void add_tree_path(std::string const& guest_path, std::vector<std::string> const& excluded_names);
    void add_host_path(std::string const& host_path, std::string const& guest_path,
                       std::vector<std::string> const& excluded_names, SourceTree const& source);
    void add_libraries_of(std::string const& guest_path, std::string const& host_path);

    SourceTree const& tree_;
    Architecture architecture_;
    FileSet files_;
    ElfClosure closure_;
    std::vector<std::string> notes_;
};

}  // namespace tutti::cli
