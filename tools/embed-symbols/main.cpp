// SPDX-License-Identifier: BSD-3-Clause
// embed-symbols: writes the functions of a linked kernel image as an assembly file that, linked into the
// same image, lets crash reports name addresses without help from the host (kernel/base/symbol_table.hpp).
//
//   embed-symbols IMAGE.elf OUT.S      the table of the image's functions
//   embed-symbols --empty OUT.S        an empty table, for the first link
//
// Table: `symbol_table_base` (u64), `symbol_table_count` (u32), then `symbol_table_count` sorted u32
// offsets from the base, as many u32 offsets into the names, and the NUL-terminated names. Names are
// demangled here, without parameter lists, because the kernel has no demangler.
#include <cxxabi.h>
#include <fcntl.h>
#include <gelf.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Symbol {
    std::uint64_t address;
    std::string name;
};

[[noreturn]] void fail(std::string const& message) {
    std::cerr << "embed-symbols: " << message << "\n";
    std::exit(1);
}

// "tutti::sched::Thread::start(int) const" -> "tutti::sched::Thread::start".
std::string without_parameters(std::string const& name) {
    int template_depth = 0;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (std::string_view(name).substr(i).starts_with("operator")) {
            i += 8;
            while (i < name.size() && (std::ispunct(static_cast<unsigned char>(name[i])) != 0) && name[i] != '(') ++i;
            if (name.compare(i, 4, "()(") == 0) i += 2;
            if (i >= name.size()) break;
        }
        if (name[i] == '<') ++template_depth;
        if (name[i] == '>') --template_depth;
        if (name[i] == '(' && template_depth == 0 && i > 0 && !std::string_view(name).substr(i).starts_with("(anonymous")) {
            return name.substr(0, i);
        }
    }
    return name;
}

// "int tutti::Cell::get<int>" -> "tutti::Cell::get<int>": template functions are demangled with a return type.
std::string without_return_type(std::string const& name) {
    int depth = 0;
    for (std::size_t i = name.size(); i-- > 0;) {
        if (name[i] == '>' || name[i] == ')') ++depth;
        if (name[i] == '<' || name[i] == '(') --depth;
        if (depth != 0 || name[i] != ' ') continue;
        bool const conversion = i >= 8 && name.compare(i - 8, 8, "operator") == 0;  // "operator bool"
        return conversion ? name : name.substr(i + 1);
    }
    return name;
}

std::string readable(char const* mangled) {
    int status = 0;
    char* demangled = abi::__cxa_demangle(mangled, nullptr, nullptr, &status);
    std::string name = status == 0 && demangled != nullptr ? without_return_type(without_parameters(demangled)) : mangled;
    std::free(demangled);
    constexpr std::size_t kLongest = 160;
    if (name.size() > kLongest) name.resize(kLongest);
    std::erase_if(name, [](char c) { return c == '"' || c == '\\'; });  // user literal operators
    return name;
}

std::vector<Symbol> read_functions(char const* path) {
    int const fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) fail(std::string("cannot open ") + path);
    elf_version(EV_CURRENT);
    Elf* elf = elf_begin(fd, ELF_C_READ, nullptr);
    if (elf == nullptr) fail(std::string(path) + " is not an ELF file");

    std::vector<bool> executable;
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
        GElf_Shdr header;
        gelf_getshdr(section, &header);
        executable.resize(std::max(executable.size(), elf_ndxscn(section) + 1));
        executable[elf_ndxscn(section)] = (header.sh_flags & SHF_EXECINSTR) != 0;
    }

    std::vector<Symbol> symbols;
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
        GElf_Shdr header;
        gelf_getshdr(section, &header);
        if (header.sh_type != SHT_SYMTAB) continue;
        Elf_Data* data = elf_getdata(section, nullptr);
        std::size_t const count = header.sh_entsize == 0 ? 0 : header.sh_size / header.sh_entsize;
        for (std::size_t i = 0; i < count; ++i) {
            GElf_Sym symbol;
            gelf_getsym(data, static_cast<int>(i), &symbol);
            unsigned const type = GELF_ST_TYPE(symbol.st_info);
            bool const in_text = symbol.st_shndx < executable.size() && executable[symbol.st_shndx];
            // Assembly labels have no type; local ones (.L, numeric) and linker marks are left out.
            if (!in_text || (type != STT_FUNC && type != STT_NOTYPE)) continue;
            char const* name = elf_strptr(elf, header.sh_link, symbol.st_name);
            if (name == nullptr || *name == '\0' || *name == '.' || *name == '$') continue;
            if (std::string_view(name).starts_with("__cfi_")) continue;  // a function's type, in front of it
            symbols.push_back({symbol.st_value, readable(name)});
        }
    }
    elf_end(elf);
    ::close(fd);
    std::ranges::sort(symbols, [](Symbol const& a, Symbol const& b) {
        return a.address != b.address ? a.address < b.address : a.name < b.name;
    });
    auto const aliases = std::ranges::unique(symbols, {}, &Symbol::address);
    symbols.erase(aliases.begin(), aliases.end());
    return symbols;
}

void write_table(std::vector<Symbol> symbols, char const* path) {
    std::uint64_t const base = symbols.empty() ? 0 : symbols.front().address;
    // Low boot code may lie far from the kernel's own text: keep what a u32 offset reaches from the top.
    std::uint64_t lowest = base;
    if (!symbols.empty() && symbols.back().address - base > UINT32_MAX) {
        std::uint64_t const top = symbols.back().address;
        std::erase_if(symbols, [top](Symbol const& symbol) { return top - symbol.address > UINT32_MAX; });
        lowest = symbols.front().address;
    }
    std::ofstream out(path);
    out << "# Generated by embed-symbols.\n"
           "    .section .rodata.symbol_table, \"aR\"\n"
           "    .balign 8\n"
           "    .globl symbol_table_base, symbol_table_count, symbol_table_addresses\n"
           "    .globl symbol_table_name_offsets, symbol_table_names\n";
    out << "symbol_table_base:\n    .quad " << lowest << "\n";
    out << "symbol_table_count:\n    .long " << symbols.size() << "\n";
    out << "symbol_table_addresses:\n";
    for (Symbol const& symbol : symbols) out << "    .long " << symbol.address - lowest << "\n";
    out << "symbol_table_name_offsets:\n";
    std::size_t offset = 0;
    for (Symbol const& symbol : symbols) {
        out << "    .long " << offset << "\n";
        offset += symbol.name.size() + 1;
    }
    out << "symbol_table_names:\n";
    for (Symbol const& symbol : symbols) out << "    .asciz \"" << symbol.name << "\"\n";
    out << "    .byte 0\n    .section .note.GNU-stack, \"\"\n";
    if (!out.flush()) fail(std::string("cannot write ") + path);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) fail("usage: embed-symbols IMAGE.elf|--empty OUT.S");
    if (std::string_view(argv[1]) == "--empty") {
        write_table({}, argv[2]);
    } else {
        write_table(read_functions(argv[1]), argv[2]);
    }
    return 0;
}
