// SPDX-License-Identifier: BSD-3-Clause
// The ELF parser on a well-formed image, on each way to damage it, and on the host's own programs; the first stack.
#include <gtest/gtest.h>

#include <elf.h>

#include <fstream>
#include <map>
#include <vector>

#include "linux_abi/elf/initial_stack.hpp"
#include "linux_abi/elf/memory_source.hpp"

namespace tutti::linux_abi::elf {
namespace {

// A small valid program: two segments, an interpreter, a stack header.
struct Sample {
    Elf64_Ehdr header{};
    std::vector<Elf64_Phdr> table;
    std::vector<u8> tail;  // what follows the table
    size_t cut = ~size_t{0};

    Sample() {
        std::memcpy(header.e_ident, ELFMAG, SELFMAG);
        header.e_ident[EI_CLASS] = ELFCLASS64;
        header.e_ident[EI_DATA] = ELFDATA2LSB;
        header.e_ident[EI_VERSION] = EV_CURRENT;
        header.e_type = ET_DYN;
        header.e_machine = EM_X86_64;
        header.e_version = EV_CURRENT;
        header.e_entry = 0x1010;
        header.e_phoff = sizeof header;
        header.e_ehsize = sizeof header;
        header.e_phentsize = sizeof(Elf64_Phdr);
        table.push_back(load(PF_R, 0, 0, 0x800, 0x800));
        table.push_back(load(PF_R | PF_X, 0x1000, 0x1000, 0x100, 0x100));
        table.push_back(load(PF_R | PF_W, 0x1100, 0x2100, 0x80, 0x5000));
        Elf64_Phdr interpreter{};
        interpreter.p_type = PT_INTERP;
        interpreter.p_offset = 0x400;
        interpreter.p_filesz = interpreter.p_memsz = 13;
        table.push_back(interpreter);
        Elf64_Phdr stack{};
        stack.p_type = PT_GNU_STACK;
        stack.p_flags = PF_R | PF_W;
        table.push_back(stack);
    }
    static Elf64_Phdr load(u32 flags, u64 offset, u64 address, u64 file_size, u64 memory_size) {
        Elf64_Phdr entry{};
        entry.p_type = PT_LOAD;
        entry.p_flags = flags;
        entry.p_offset = offset;
        entry.p_vaddr = entry.p_paddr = address;
        entry.p_filesz = file_size;
        entry.p_memsz = memory_size;
        entry.p_align = 0x1000;
        return entry;
    }
    [[nodiscard]] std::vector<u8> bytes() const {
        std::vector<u8> out(0x2000);
        Elf64_Ehdr copy = header;
        if (copy.e_phnum == 0) copy.e_phnum = static_cast<u16>(table.size());
        std::memcpy(out.data(), &copy, sizeof copy);
        std::memcpy(out.data() + sizeof copy, table.data(), table.size() * sizeof(Elf64_Phdr));
        std::memcpy(out.data() + 0x400, "/lib/ld-x.so", 12);
        out.resize(std::min(out.size(), cut));
        return out;
    }
};

struct Outcome {
    Result<Image> image;
    std::string complaint;
};
Outcome parse(std::span<u8 const> bytes) {
    MemorySource source{bytes};
    ImageComplaint complaint;
    auto image = parse_image(source, ImageRules{}, complaint);
    return {std::move(image), std::string{complaint.view()}};
}

TEST(ElfImage, ReadsAWellFormedProgram) {
    Sample sample;
    auto const bytes = sample.bytes();
    auto const [image, complaint] = parse(bytes);
    ASSERT_TRUE(image.has_value()) << complaint;
    EXPECT_TRUE(image->position_independent);
    EXPECT_EQ(image->entry, 0x1010u);
    EXPECT_EQ(image->interpreter.view(), "/lib/ld-x.so");
    EXPECT_FALSE(image->executable_stack);
    ASSERT_EQ(image->segments.size(), 3u);
    EXPECT_TRUE(image->segments[1].executable && !image->segments[1].writable);
    EXPECT_EQ(image->program_headers, 0x40u);
    EXPECT_EQ(image->program_header_count, 5u);
    EXPECT_EQ(image->low(), 0u);
    EXPECT_EQ(image->high(), 0x8000u);
}

TEST(ElfImage, NamesEachKindOfDamage) {
    struct Case {
        char const* name;
        void (*damage)(Sample&);
        Error error;
        char const* says;
    };
    Case const cases[] = {
        {"interpreter without NUL", [](Sample& s) { s.table[3].p_filesz = 12; }, Error::BadFormat, "interpreter"},
        {"empty", [](Sample& s) { s.cut = 0; }, Error::NotExecutable, "empty"},
        {"magic", [](Sample& s) { s.header.e_ident[1] = 'X'; }, Error::NotExecutable, "not an ELF"},
        {"three bytes", [](Sample& s) { s.cut = 3; }, Error::NotExecutable, "not an ELF"},
        {"header cut", [](Sample& s) { s.cut = 40; }, Error::BadFormat, "cut short"},
        {"table cut", [](Sample& s) { s.cut = 100; }, Error::BadFormat, "cut short"},
        {"segment cut", [](Sample& s) { s.cut = 0x1050; }, Error::BadFormat, "cut short"},
        {"32-bit", [](Sample& s) { s.header.e_ident[EI_CLASS] = ELFCLASS32; }, Error::NotExecutable, "32-bit"},
        {"class 9", [](Sample& s) { s.header.e_ident[EI_CLASS] = 9; }, Error::BadFormat, "class"},
        {"big-endian", [](Sample& s) { s.header.e_ident[EI_DATA] = 2; }, Error::NotExecutable, "little-endian"},
        {"AArch64", [](Sample& s) { s.header.e_machine = EM_AARCH64; }, Error::NotExecutable, "AArch64"},
        {"machine 999", [](Sample& s) { s.header.e_machine = 999; }, Error::NotExecutable, "999"},
        {"version", [](Sample& s) { s.header.e_version = 7; }, Error::BadFormat, "version 7"},
        {"object file", [](Sample& s) { s.header.e_type = ET_REL; }, Error::NotExecutable, "link it"},
        {"core dump", [](Sample& s) { s.header.e_type = ET_CORE; }, Error::NotExecutable, "core dump"},
        {"type 77", [](Sample& s) { s.header.e_type = 77; }, Error::NotExecutable, "77"},
        {"header size", [](Sample& s) { s.header.e_phentsize = 32; }, Error::BadFormat, "32 bytes"},
        {"no headers", [](Sample& s) { s.header.e_phentsize = 56, s.table.clear(); }, Error::BadFormat, "no program"},
        {"too many headers", [](Sample& s) { s.header.e_phnum = 65535; }, Error::BadFormat, "absurd"},
        {"table beyond", [](Sample& s) { s.header.e_phoff = ~u64{0} - 8; }, Error::BadFormat, "cut short"},
        {"no load", [](Sample& s) { for (auto& e : s.table) e.p_type = PT_NULL; }, Error::BadFormat, "no segment"},
        {"file > memory", [](Sample& s) { s.table[1].p_memsz = 1; }, Error::BadFormat, "more bytes"},
        {"offset wraps", [](Sample& s) { s.table[1].p_offset = ~u64{0xfff}; }, Error::BadFormat, "cut short"},
        {"address wraps", [](Sample& s) { s.table[2].p_vaddr = ~u64{0xeff}; }, Error::BadFormat, "beyond user"},
        {"kernel address", [](Sample& s) { s.table[2].p_vaddr = 0xffff800000000100; }, Error::BadFormat, "beyond"},
        {"memory wraps", [](Sample& s) { s.table[2].p_memsz = ~u64{0}; }, Error::BadFormat, "beyond user"},
        {"misfit", [](Sample& s) { s.table[1].p_vaddr += 0x10; }, Error::BadFormat, "does not fit"},
        {"alignment", [](Sample& s) { s.table[1].p_align = 3000; }, Error::BadFormat, "aligned"},
        {"huge alignment", [](Sample& s) { s.table[1].p_align = u64{1} << 40; }, Error::BadFormat, "aligned"},
        {"overlap", [](Sample& s) { s.table[0].p_memsz = 0x1800; }, Error::BadFormat, "overlap"},
        {"same place", [](Sample& s) { s.table[2].p_vaddr = 0x1100, s.table[1].p_memsz = 0x101; }, Error::BadFormat,
         "overlap"},
        {"order", [](Sample& s) { std::swap(s.table[0], s.table[1]); }, Error::BadFormat, "order"},
        {"low address", [](Sample& s) { s.header.e_type = ET_EXEC; }, Error::BadFormat, "below"},
        {"span", [](Sample& s) { s.table[2].p_vaddr = (u64{1} << 46) + 0x100; }, Error::BadFormat, "spreads"},
        {"entry", [](Sample& s) { s.header.e_entry = 0x9000; }, Error::BadFormat, "starts at"},
        {"library", [](Sample& s) { s.header.e_entry = 0x900; }, Error::BadFormat, "starts at"},
        {"interpreter beyond", [](Sample& s) { s.table[3].p_offset = 1 << 20; }, Error::BadFormat, "interpreter"},
        {"interpreter long", [](Sample& s) { s.table[3].p_filesz = 5000; }, Error::BadFormat, "interpreter"},
    };
    for (Case const& c : cases) {
        Sample sample;
        c.damage(sample);
        auto const outcome = parse(sample.bytes());
        ASSERT_FALSE(outcome.image.has_value()) << c.name;
        EXPECT_EQ(outcome.image.error(), c.error) << c.name << ": " << outcome.complaint;
        EXPECT_NE(outcome.complaint.find(c.says), std::string::npos) << c.name << ": " << outcome.complaint;
    }
}

// Every prefix of a good file is refused or parsed, never read past (MemorySource and the sanitizers watch).
TEST(ElfImage, SurvivesEveryTruncation) {
    auto const bytes = Sample{}.bytes();
    size_t accepted = 0;
    for (size_t length = 0; length <= bytes.size(); ++length) {
        std::vector<u8> const copy(bytes.begin(), bytes.begin() + static_cast<long>(length));
        accepted += parse(copy).image.has_value();
    }
    EXPECT_EQ(accepted, bytes.size() - 0x1180 + 1) << "good from the end of the last segment's bytes on";
}

TEST(ElfImage, AcceptsTheHostsOwnProgram) {
    std::ifstream file{"/proc/self/exe", std::ios::binary};
    std::vector<char> const text{std::istreambuf_iterator<char>{file}, {}};
    std::vector<u8> const bytes(text.begin(), text.end());
    auto const [image, complaint] = parse(bytes);
    ASSERT_TRUE(image.has_value()) << complaint;
    EXPECT_TRUE(image->interpreter.view().starts_with("/lib64/ld-linux"));
    EXPECT_NE(image->program_headers, 0u);
}

std::optional<ScriptLine> script(std::string_view text) {
    return parse_script({reinterpret_cast<u8 const*>(text.data()), text.size()});
}

TEST(ElfScript, ReadsTheFirstLine) {
    auto const line = script("#! \t/bin/sh   -e  -x \t\nrest");
    ASSERT_TRUE(line.has_value());
    EXPECT_EQ(line->interpreter, "/bin/sh");
    EXPECT_EQ(line->argument, "-e  -x");
    EXPECT_EQ(script("#!/bin/cat")->interpreter, "/bin/cat");
    EXPECT_EQ(script("#!/bin/cat")->argument, "");
}

TEST(ElfScript, RefusesWhatHasNoInterpreter) {
    EXPECT_FALSE(script("").has_value());
    EXPECT_FALSE(script("#").has_value());
    EXPECT_FALSE(script("#!").has_value());
    EXPECT_FALSE(script("#! \t \n/bin/sh").has_value());
    EXPECT_FALSE(script(std::string{"#!/bin\0/sh\n", 11}).has_value());
    EXPECT_FALSE(script("#!/" + std::string(kScriptHeadSize - 3, 'a')).has_value()) << "may go on beyond";
    EXPECT_TRUE(script("#!/" + std::string(kScriptHeadSize - 4, 'a')).has_value());
}

class StackReader {
  public:
    StackReader(InitialStack const& stack, u64 top) : stack_{stack}, top_{top} {}
    [[nodiscard]] u64 word(u64 address) const { return load_le<u64>(at(address, 8)); }
    [[nodiscard]] std::string text(u64 address) const {
        return reinterpret_cast<char const*>(at(address, 1));
    }
    [[nodiscard]] u8 const* at(u64 address, u64 size) const {
        EXPECT_GE(address, stack_.stack_pointer);
        EXPECT_LE(address + size, top_);
        return stack_.bytes.data() + (address - stack_.stack_pointer);
    }

  private:
    InitialStack const& stack_;
    u64 top_;
};

TEST(ElfStack, HoldsArgumentsEnvironmentAndAuxiliaryVector) {
    for (size_t extra = 0; extra < 40; ++extra) {  // every alignment of the strings
        std::string const long_name(extra, 'x');
        std::array<std::string_view, 3> const arguments{"program", "", long_name};
        std::array<std::string_view, 2> const environment{"A=1", "LONG=value"};
        std::array<AuxiliaryEntry, 2> const auxiliary{{{Auxiliary::PageSize, 4096}, {Auxiliary::Entry, 0x1234}}};
        StackContents const contents{arguments, environment, "/bin/program", "x86_64", {1, 2, 3}, auxiliary};
        u64 const top = 0x7fff'0000'0000;
        auto const stack = build_initial_stack(top, 1 << 20, contents);
        ASSERT_TRUE(stack.has_value());
        EXPECT_EQ(stack->stack_pointer % 16, 0u);
        EXPECT_EQ(stack->stack_pointer + stack->bytes.size(), top);
        StackReader const reader{*stack, top};
        u64 at = stack->stack_pointer;
        EXPECT_EQ(reader.word(at), 3u);
        EXPECT_EQ(reader.word(at += 8), stack->arguments_start);
        for (auto const text : arguments) {
            EXPECT_EQ(reader.text(reader.word(at)), text);
            at += 8;
        }
        EXPECT_EQ(reader.word(at), 0u);
        at += 8;
        for (auto const text : environment) {
            EXPECT_EQ(reader.text(reader.word(at)), text);
            at += 8;
        }
        EXPECT_EQ(reader.word(at), 0u);
        at += 8;
        EXPECT_EQ(at, stack->auxiliary_start);
        std::map<u64, u64> found;
        for (; reader.word(at) != 0; at += 16) found[reader.word(at)] = reader.word(at + 8);
        EXPECT_EQ(at + 16 - stack->auxiliary_start, stack->auxiliary_size);
        EXPECT_EQ(found[AT_PAGESZ], 4096u);
        EXPECT_EQ(found[AT_ENTRY], 0x1234u);
        EXPECT_EQ(reader.text(found[AT_EXECFN]), "/bin/program");
        EXPECT_EQ(reader.text(found[AT_PLATFORM]), "x86_64");
        EXPECT_EQ(std::memcmp(reader.at(found[AT_RANDOM], 16), contents.random.data(), 16), 0);
        EXPECT_GE(found[AT_RANDOM], at + 16) << "random bytes overlap the vector";
        EXPECT_EQ(reader.text(stack->environment_start), "A=1");
        EXPECT_EQ(stack->environment_end, found[AT_EXECFN]);
    }
}

TEST(ElfStack, RefusesTooMuch) {
    std::string const big(kMaxArgumentSize, 'a');
    std::array<std::string_view, 1> const one{big};
    u64 const top = 0x7fff'0000'0000;
    EXPECT_EQ(build_initial_stack(top, 1 << 30, {.arguments = one}).error(), Error::TooBig);
    std::array<std::string_view, 1> const fits{std::string_view{big}.substr(1)};
    EXPECT_TRUE(build_initial_stack(top, 1 << 30, {.arguments = fits}).has_value());
    EXPECT_EQ(build_initial_stack(top, kMaxArgumentSize, {.arguments = fits}).error(), Error::TooBig);
    std::array<std::string_view, 1> const nul{std::string_view{"a\0b", 3}};
    EXPECT_EQ(build_initial_stack(top, 1 << 20, {.environment = nul}).error(), Error::InvalidArgument);
}

}  // namespace
}  // namespace tutti::linux_abi::elf
