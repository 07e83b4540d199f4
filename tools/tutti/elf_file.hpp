// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// What the packer needs to know of an ELF file: who interprets it and which libraries it asks for.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "architecture.hpp"

namespace tutti::cli {

struct ElfInfo {
    std::uint8_t elf_class = 0;   // ELFCLASS64 ...
    std::uint16_t machine = 0;    // EM_X86_64 ...
    std::uint16_t type = 0;       // ET_EXEC, ET_DYN ...
    std::string interpreter;      // PT_INTERP; empty for static programs and for libraries
    std::vector<std::string> needed;   // DT_NEEDED
    std::vector<std::string> rpath;    // DT_RPATH, split at ':', with $ORIGIN unexpanded
    std::vector<std::string> runpath;  // DT_RUNPATH likewise

    // Whose guests can load it; nothing unless it is a 64-bit executable or shared object.
    [[nodiscard]] std::optional<Architecture> architecture() const;
};

// Nothing when the file is not ELF at all (wrong magic, or too short for it) or cannot be read. A file that
// has the magic but is damaged gives what could be read: the guest's loader reports the damage.
std::optional<ElfInfo> read_elf(std::string const& host_path);

// "x86-64", "AArch64", ... for messages.
std::string machine_name(std::uint16_t machine);

}  // namespace tutti::cli
