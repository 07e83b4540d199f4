// SPDX-License-Identifier: BSD-3-Clause
#include "architecture.hpp"

#include <elf.h>
#include <sys/utsname.h>

#include <array>
#include <cstring>
#include <fstream>

#include "cli_error.hpp"

namespace tutti::cli {

ArchitectureInfo const& info(Architecture architecture) {
    static ArchitectureInfo const x86_64{
        .name = "x86_64",
        .elf_machine = EM_X86_64,
        .cache_flags = 0x0303,
        .multiarch = "x86_64-linux-gnu",
        .library_directories = {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"}};
    static ArchitectureInfo const aarch64{
        .name = "aarch64",
        .elf_machine = EM_AARCH64,
        .cache_flags = 0x0a03,
        .multiarch = "aarch64-linux-gnu",
        .library_directories = {"/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib", "/usr/lib"}};
    return architecture == Architecture::X86_64 ? x86_64 : aarch64;
}

Architecture parse_architecture(std::string const& word) {
    for (Architecture const architecture : kArchitectures) {
        if (word == info(architecture).name) return architecture;
    }
    throw CliError("--arch " + word + ": choose x86_64 or aarch64.");
}

std::optional<Architecture> architecture_of_elf(std::uint16_t machine) {
    for (Architecture const architecture : kArchitectures) {
        if (machine == info(architecture).elf_machine) return architecture;
    }
    return std::nullopt;
}

std::optional<Architecture> architecture_of_kernel(std::string const& host_path) {
    constexpr char kImageMagic[] = {'A', 'R', 'M', 'd'};  // at offset 56 (Linux, Documentation/arm64/booting.rst)
    constexpr std::size_t kImageMagicAt = 56;
    std::array<char, 64> start{};
    std::ifstream(host_path, std::ios::binary).read(start.data(), start.size());
    if (std::memcmp(start.data(), ELFMAG, SELFMAG) == 0) {
        std::uint16_t machine = 0;
        std::memcpy(&machine, start.data() + offsetof(Elf64_Ehdr, e_machine), sizeof machine);
        return architecture_of_elf(machine);
    }
    if (std::memcmp(start.data() + kImageMagicAt, kImageMagic, sizeof kImageMagic) == 0) return Architecture::Aarch64;
    return std::nullopt;
}

std::optional<Architecture> host_architecture() {
    utsname name{};
    ::uname(&name);
    for (Architecture const architecture : kArchitectures) {
        if (info(architecture).name == name.machine) return architecture;
    }
    return std::nullopt;
}

}  // namespace tutti::cli
