// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// The processor architectures of guests, and where Linux programs for them keep their libraries.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tutti::cli {

enum class Architecture { X86_64, Aarch64 };
inline constexpr Architecture kArchitectures[] = {Architecture::X86_64, Architecture::Aarch64};

struct ArchitectureInfo {
    std::string_view name;       // the word of --arch, in names of kernel images, and uname(1)'s
    std::uint16_t elf_machine;   // EM_X86_64 ...
    std::uint32_t cache_flags;   // of its 64-bit libraries in ld.so.cache
    std::string_view multiarch;  // Debian's name for its directories
    std::vector<std::string> library_directories;  // of the loader, in its order (Debian's)
};
ArchitectureInfo const& info(Architecture architecture);

Architecture parse_architecture(std::string const& word);  // throws CliError
std::optional<Architecture> architecture_of_elf(std::uint16_t machine);
// Of a kernel image: an ELF file, or the flat one of Arm64 Linux's boot protocol. Nothing when it is neither.
std::optional<Architecture> architecture_of_kernel(std::string const& host_path);
// The one that this host runs.
std::optional<Architecture> host_architecture();

}  // namespace tutti::cli
