// SPDX-License-Identifier: BSD-3-Clause
#include "elf_file.hpp"

#include <elf.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/stat.h>

#include <array>
#include <cstring>
#include <memory>
#include <string_view>

#include "unique_fd.hpp"

namespace tutti::cli {
namespace {

std::vector<std::string> split_path(std::string_view list) {
    std::vector<std::string> parts;
    while (true) {
        std::size_t const colon = list.find(':');
        if (std::string_view const part = list.substr(0, colon); !part.empty()) parts.emplace_back(part);
        if (colon == std::string_view::npos) return parts;
        list.remove_prefix(colon + 1);
    }
}

// The bytes of the file behind [address, address + length) as its PT_LOAD segments map them; the section
// table, which a stripped file may lack, is not used.
class Image {
  public:
    explicit Image(Elf* elf) : elf_(elf) { raw_ = elf_rawfile(elf, &size_); }

    [[nodiscard]] std::string string_at_offset(std::uint64_t offset, std::uint64_t limit) const {
        if (raw_ == nullptr || offset >= size_) return {};
        std::uint64_t const longest = std::min<std::uint64_t>(limit, size_ - offset);
        return {raw_ + offset, ::strnlen(raw_ + offset, longest)};
    }

    [[nodiscard]] std::optional<std::uint64_t> offset_of(std::uint64_t address) const {
        std::size_t count = 0;
        elf_getphdrnum(elf_, &count);
        for (std::size_t i = 0; i < count; ++i) {
            GElf_Phdr header;
            if (gelf_getphdr(elf_, static_cast<int>(i), &header) == nullptr) continue;
            if (header.p_type == PT_LOAD && address >= header.p_vaddr && address - header.p_vaddr < header.p_filesz) {
                return header.p_offset + (address - header.p_vaddr);
            }
        }
        return std::nullopt;
    }

    [[nodiscard]] char const* raw() const { return raw_; }
    [[nodiscard]] std::uint64_t size() const { return size_; }

  private:
    Elf* elf_;
    char const* raw_ = nullptr;
    std::size_t size_ = 0;
};

void read_dynamic(Image const& image, GElf_Phdr const& segment, ElfInfo& info) {
    if (info.elf_class != ELFCLASS64 || image.raw() == nullptr) return;
    std::uint64_t strings = 0;
    std::uint64_t strings_size = UINT64_MAX;
    std::vector<Elf64_Dyn> entries;
    for (std::uint64_t at = segment.p_offset; at + sizeof(Elf64_Dyn) <= image.size(); at += sizeof(Elf64_Dyn)) {
        if (at - segment.p_offset >= segment.p_filesz) break;
        Elf64_Dyn entry;
        std::memcpy(&entry, image.raw() + at, sizeof entry);
        if (entry.d_tag == DT_NULL) break;
        if (entry.d_tag == DT_STRTAB) strings = entry.d_un.d_ptr;
        if (entry.d_tag == DT_STRSZ) strings_size = entry.d_un.d_val;
        entries.push_back(entry);
    }
    auto const base = image.offset_of(strings);
    if (!base) return;
    for (Elf64_Dyn const& entry : entries) {
        bool const wanted = entry.d_tag == DT_NEEDED || entry.d_tag == DT_RPATH || entry.d_tag == DT_RUNPATH;
        if (!wanted || entry.d_un.d_val >= strings_size) continue;
        std::string const text = image.string_at_offset(*base + entry.d_un.d_val, strings_size - entry.d_un.d_val);
        if (entry.d_tag == DT_NEEDED) info.needed.push_back(text);
        if (entry.d_tag == DT_RPATH) info.rpath = split_path(text);
        if (entry.d_tag == DT_RUNPATH) info.runpath = split_path(text);
    }
}

}  // namespace

std::optional<Architecture> ElfInfo::architecture() const {
    if (elf_class != ELFCLASS64 || (type != ET_EXEC && type != ET_DYN)) return std::nullopt;
    return architecture_of_elf(machine);
}

std::optional<ElfInfo> read_elf(std::string const& host_path) {
    UniqueFd const file(::open(host_path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    std::array<unsigned char, EI_NIDENT + 4> start{};
    if (!file.valid() || ::pread(file.get(), start.data(), start.size(), 0) < SELFMAG) return std::nullopt;
    if (std::memcmp(start.data(), ELFMAG, SELFMAG) != 0) return std::nullopt;

    ElfInfo info;
    info.elf_class = start[EI_CLASS];
    info.type = static_cast<std::uint16_t>(start[EI_NIDENT] | start[EI_NIDENT + 1] << 8);
    info.machine = static_cast<std::uint16_t>(start[EI_NIDENT + 2] | start[EI_NIDENT + 3] << 8);
    elf_version(EV_CURRENT);
    std::unique_ptr<Elf, int (*)(Elf*)> const elf(elf_begin(file.get(), ELF_C_READ_MMAP, nullptr), elf_end);
    if (elf == nullptr || elf_kind(elf.get()) != ELF_K_ELF) return info;
    Image const image(elf.get());
    std::size_t count = 0;
    if (elf_getphdrnum(elf.get(), &count) != 0) return info;
    for (std::size_t i = 0; i < count; ++i) {
        GElf_Phdr header;
        if (gelf_getphdr(elf.get(), static_cast<int>(i), &header) == nullptr) break;
        if (header.p_type == PT_INTERP) info.interpreter = image.string_at_offset(header.p_offset, header.p_filesz);
        if (header.p_type == PT_DYNAMIC) read_dynamic(image, header, info);
    }
    return info;
}

std::string machine_name(std::uint16_t machine) {
    switch (machine) {
        case EM_X86_64: return "x86-64";
        case EM_386: return "32-bit x86";
        case EM_AARCH64: return "AArch64";
        case EM_ARM: return "32-bit Arm";
        case EM_RISCV: return "RISC-V";
        case EM_PPC64: return "PowerPC 64";
        case EM_S390: return "s390";
        default: return "ELF machine " + std::to_string(machine);
    }
}

}  // namespace tutti::cli
