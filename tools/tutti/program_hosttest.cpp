// SPDX-License-Identifier: BSD-3-Clause
// Finding programs, following scripts, and closing over libraries, in trees made by each test and on the host.
#include <elf.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstring>
#include <filesystem>
#include <set>

#include "cli_error.hpp"
#include "companions.hpp"
#include "elf_closure.hpp"
#include "elf_file.hpp"
#include "guest_files.hpp"
#include "library_cache.hpp"
#include "program.hpp"
#include "source_tree.hpp"
#include "test_directory.hpp"

namespace tutti::cli {
namespace {

constexpr char kPath[] = "/usr/local/bin:/usr/bin:/bin";

struct FakeElf {
    std::uint16_t machine = EM_X86_64;
    std::uint16_t type = ET_DYN;
    std::string interpreter;
    std::vector<std::string> needed;
    std::string rpath;
    std::string runpath;
};

// A minimal ELF file: headers, PT_LOAD over everything, PT_INTERP, PT_DYNAMIC; no section table.
std::string make_elf(FakeElf const& fake) {
    std::string strings(1, '\0');
    std::vector<Elf64_Dyn> dynamic;
    auto const text = [&](Elf64_Sxword tag, std::string const& value) {
        dynamic.push_back({.d_tag = tag, .d_un = {.d_val = strings.size()}});
        strings += value + '\0';
    };
    for (auto const& name : fake.needed) text(DT_NEEDED, name);
    if (!fake.rpath.empty()) text(DT_RPATH, fake.rpath);
    if (!fake.runpath.empty()) text(DT_RUNPATH, fake.runpath);
    constexpr std::uint64_t kBase = 0x400000;
    std::uint64_t const interpreter_at = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr);
    std::uint64_t const strings_at = interpreter_at + fake.interpreter.size() + 1;
    std::uint64_t const dynamic_at = (strings_at + strings.size() + 7) / 8 * 8;
    dynamic.push_back({.d_tag = DT_STRTAB, .d_un = {.d_ptr = kBase + strings_at}});
    dynamic.push_back({.d_tag = DT_STRSZ, .d_un = {.d_val = strings.size()}});
    dynamic.push_back({.d_tag = DT_NULL, .d_un = {.d_val = 0}});
    std::uint64_t const total = dynamic_at + dynamic.size() * sizeof(Elf64_Dyn);

    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = fake.type;
    header.e_machine = fake.machine;
    header.e_version = EV_CURRENT;
    header.e_phoff = sizeof header;
    header.e_ehsize = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 3;
    Elf64_Phdr segments[3]{};
    segments[0] = {.p_type = PT_LOAD, .p_flags = PF_R, .p_offset = 0, .p_vaddr = kBase, .p_paddr = 0, .p_filesz = total, .p_memsz = total, .p_align = 0x1000};
    segments[1] = {.p_type = PT_DYNAMIC, .p_flags = PF_R, .p_offset = dynamic_at, .p_vaddr = kBase + dynamic_at, .p_paddr = 0, .p_filesz = total - dynamic_at, .p_memsz = total - dynamic_at, .p_align = 8};
    if (!fake.interpreter.empty()) {
        segments[2] = {.p_type = PT_INTERP, .p_flags = PF_R, .p_offset = interpreter_at, .p_vaddr = kBase + interpreter_at, .p_paddr = 0, .p_filesz = fake.interpreter.size() + 1, .p_memsz = fake.interpreter.size() + 1, .p_align = 1};
    }
    std::string file(total, '\0');
    std::memcpy(file.data(), &header, sizeof header);
    std::memcpy(file.data() + sizeof header, segments, sizeof segments);
    std::memcpy(file.data() + interpreter_at, fake.interpreter.data(), fake.interpreter.size());
    std::memcpy(file.data() + strings_at, strings.data(), strings.size());
    std::memcpy(file.data() + dynamic_at, dynamic.data(), dynamic.size() * sizeof(Elf64_Dyn));
    return file;
}

std::set<std::string> paths(FileSet const& files) {
    std::set<std::string> result;
    for (auto const& [path, entry] : files.entries()) result.insert(path);
    return result;
}

class Tree : public ::testing::Test {
  protected:
    void program(std::string const& name, std::string const& content) { directory.write(name, content, 0755); }
    Program find(std::vector<std::string> const& command) { return find_program(SourceTree(directory.path()), command, kPath); }
    int failure(std::vector<std::string> const& command) {
        try {
            find(command);
        } catch (CliError const& error) {
            return error.status();
        }
        return 0;
    }
    TestDirectory directory;
};

TEST_F(Tree, FindsByNameAndByPath) {
    program("usr/bin/tool", make_elf({}));
    EXPECT_EQ(find({"tool", "-x"}).executable, "/usr/bin/tool");
    EXPECT_EQ(find({"tool", "-x"}).arguments, (std::vector<std::string>{"tool", "-x"}));
    EXPECT_EQ(find({"/usr/bin/tool"}).executable, "/usr/bin/tool");
}

TEST_F(Tree, SaysWhyNot) {
    directory.write("usr/bin/text", "plain", 0755);
    directory.write("usr/bin/data", make_elf({}), 0644);
    program("usr/bin/arm", make_elf({.machine = EM_ARM}));
    program("usr/bin/object", make_elf({.type = ET_REL}));
    program("usr/bin/orphan", "#!/no/such/interpreter\n");
    EXPECT_EQ(failure({"nowhere"}), kNotFound);
    EXPECT_EQ(failure({"/nowhere"}), kNotFound);
    EXPECT_EQ(failure({"data"}), kNotFound) << "a name finds executable files only";
    EXPECT_EQ(failure({"/usr/bin/data"}), kNotExecutable);
    EXPECT_EQ(failure({"text"}), kNotExecutable);
    EXPECT_EQ(failure({"arm"}), kNotExecutable);
    EXPECT_EQ(failure({"object"}), kNotExecutable);
    EXPECT_EQ(failure({"orphan"}), kNotFound);
}

TEST_F(Tree, FollowsScripts) {
    program("usr/bin/shell", make_elf({}));
    program("usr/bin/script", "#! /usr/bin/shell -e  \nrest\n");
    Program const found = find({"script", "a", "b"});
    EXPECT_EQ(found.executable, "/usr/bin/shell");
    EXPECT_EQ(found.arguments, (std::vector<std::string>{"/usr/bin/shell", "-e", "/usr/bin/script", "a", "b"}));
    EXPECT_EQ(found.files.size(), 2U);
}

TEST_F(Tree, ResolvesEnvHere) {
    program("usr/bin/env", make_elf({}));
    program("usr/bin/py", make_elf({}));
    program("usr/bin/script", "#!/usr/bin/env py\n");
    Program const found = find({"script", "a"});
    EXPECT_EQ(found.executable, "/usr/bin/py");
    EXPECT_EQ(found.arguments, (std::vector<std::string>{"py", "/usr/bin/script", "a"}));
}

TEST_F(Tree, EndsALoopOfScripts) {
    program("usr/bin/one", "#!/usr/bin/two\n");
    program("usr/bin/two", "#!/usr/bin/one\n");
    EXPECT_EQ(failure({"one"}), kNotExecutable);
}

TEST_F(Tree, FollowsLinksInsideTheRoot) {
    program("usr/bin/real", make_elf({}));
    std::filesystem::create_symlink("usr/bin", directory.path() + "/bin");
    std::filesystem::create_symlink("/bin/real", directory.path() + "/usr/bin/alias");
    SourceTree const tree(directory.path());
    auto const found = tree.resolve("/bin/alias");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->guest_path, "/usr/bin/real");
    FileSet files;
    SourceTree::add(files, *found);
    EXPECT_TRUE(files.contains("/bin"));
    EXPECT_TRUE(files.contains("/usr/bin/alias"));
    EXPECT_TRUE(files.contains("/usr/bin/real"));
}

TEST_F(Tree, NeverLeavesTheRoot) {
    std::filesystem::create_directories(directory.path() + "/usr");
    std::filesystem::create_symlink("../../../../../../etc", directory.path() + "/usr/up");
    std::filesystem::create_symlink("loop", directory.path() + "/loop");
    SourceTree const tree(directory.path());
    EXPECT_FALSE(tree.resolve("/usr/up/passwd"));
    EXPECT_FALSE(tree.resolve("/loop"));
}

TEST_F(Tree, ClosesOverLibrariesInTheLoadersOrder) {
    program("opt/app/bin/app", make_elf({.interpreter = "/lib64/ld.so", .needed = {"liba.so", "libb.so"}, .runpath = "$ORIGIN/../lib"}));
    program("lib64/ld.so", make_elf({}));
    program("opt/app/lib/liba.so", make_elf({.needed = {"libc.so"}}));
    program("usr/lib/libb.so", make_elf({.needed = {"liba.so"}, .runpath = "/other"}));
    program("usr/lib/liba.so", make_elf({}));
    program("usr/lib/libc.so", make_elf({}));
    SourceTree const tree(directory.path());
    FileSet files;
    ElfClosure closure(tree, Architecture::X86_64, files, "");
    EXPECT_TRUE(closure.add("/opt/app/bin/app", tree.host_path("/opt/app/bin/app"), true).empty());
    auto const found = paths(files);
    for (char const* path : {"/lib64/ld.so", "/opt/app/lib/liba.so", "/usr/lib/libb.so", "/usr/lib/libc.so"}) {
        EXPECT_TRUE(found.contains(path)) << path;
    }
}

TEST_F(Tree, RunpathIsNotInheritedButRpathIs) {
    program("usr/lib/sub/libdeep.so", make_elf({}));
    program("usr/lib/libmid.so", make_elf({.needed = {"libdeep.so"}}));
    program("usr/bin/rpath", make_elf({.needed = {"libmid.so"}, .rpath = "/usr/lib/sub"}));
    program("usr/bin/runpath", make_elf({.needed = {"libmid.so"}, .runpath = "/usr/lib/sub"}));
    SourceTree const tree(directory.path());
    FileSet files;
    ElfClosure first(tree, Architecture::X86_64, files, "");
    EXPECT_TRUE(first.add("/usr/bin/rpath", tree.host_path("/usr/bin/rpath"), false).empty());
    ElfClosure second(tree, Architecture::X86_64, files, "");
    EXPECT_EQ(second.add("/usr/bin/runpath", tree.host_path("/usr/bin/runpath"), false), std::vector<std::string>{"libdeep.so"});
    ElfClosure third(tree, Architecture::X86_64, files, "/usr/lib/sub");
    EXPECT_TRUE(third.add("/usr/bin/runpath", tree.host_path("/usr/bin/runpath"), false).empty()) << "LD_LIBRARY_PATH";
}

TEST_F(Tree, NamesEveryMissingLibrary) {
    program("usr/bin/app", make_elf({.needed = {"libone.so", "libtwo.so"}}));
    SourceTree const tree(directory.path());
    FileSet files;
    ElfClosure closure(tree, Architecture::X86_64, files, "");
    try {
        closure.add("/usr/bin/app", tree.host_path("/usr/bin/app"), true);
        FAIL();
    } catch (CliError const& error) {
        EXPECT_NE(std::string(error.what()).find("libone.so, libtwo.so"), std::string::npos) << error.what();
        EXPECT_EQ(error.status(), kNotFound);
    }
}

TEST_F(Tree, SkipsALibraryOfAnotherMachine) {
    program("usr/lib/x86_64-linux-gnu/libx.so", make_elf({.machine = EM_AARCH64}));
    program("usr/lib/libx.so", make_elf({}));
    program("usr/bin/app", make_elf({.needed = {"libx.so"}}));
    SourceTree const tree(directory.path());
    FileSet files;
    ElfClosure closure(tree, Architecture::X86_64, files, "");
    closure.add("/usr/bin/app", tree.host_path("/usr/bin/app"), true);
    EXPECT_TRUE(files.contains("/usr/lib/libx.so"));
    EXPECT_FALSE(files.contains("/usr/lib/x86_64-linux-gnu/libx.so"));
}

TEST_F(Tree, ClosesOverTheDirectoriesOfTheProgramsArchitecture) {
    program("usr/lib/libx.so", make_elf({}));
    program("usr/lib/aarch64-linux-gnu/libx.so", make_elf({.machine = EM_AARCH64}));
    program("lib/ld-linux-aarch64.so.1", make_elf({.machine = EM_AARCH64}));
    program("usr/bin/app", make_elf({.machine = EM_AARCH64, .interpreter = "/lib/ld-linux-aarch64.so.1", .needed = {"libx.so"}}));
    SourceTree const tree(directory.path());
    Program const app = find_program(tree, {"app"}, kPath);
    EXPECT_EQ(app.architecture, Architecture::Aarch64);
    GuestFiles guest(tree, app.architecture, "");
    guest.add_program(app);
    EXPECT_TRUE(guest.files().contains("/usr/lib/aarch64-linux-gnu/libx.so"));
    EXPECT_TRUE(guest.files().contains("/lib/ld-linux-aarch64.so.1"));
    EXPECT_FALSE(guest.files().contains("/usr/lib/libx.so"));
}

// On an x86-64 host, an Arm64 program's libraries are those of the cross compiler.
TEST_F(Tree, TakesACrossCompilersLibraries) {
    std::string const cross = "/usr/aarch64-linux-gnu/lib/libc.so.6";
    SourceTree const tree("/");
    if (host_architecture() == Architecture::Aarch64 || tree.resolve("/lib/aarch64-linux-gnu/libc.so.6") || !tree.resolve(cross)) {
        GTEST_SKIP() << "the host has no such compiler, or Arm64 libraries of its own";
    }
    program("app", make_elf({.machine = EM_AARCH64, .interpreter = "/lib/ld-linux-aarch64.so.1", .needed = {"libc.so.6"}}));
    FileSet files;
    ElfClosure closure(tree, Architecture::Aarch64, files, "");
    EXPECT_TRUE(closure.add("/app", directory.path() + "/app", true).empty());
    EXPECT_TRUE(files.contains(tree.resolve(cross)->guest_path));
    for (char const* path : {"/lib/libc.so.6", "/lib/ld-linux-aarch64.so.1"}) {
        ASSERT_TRUE(files.contains(path)) << path;
        EXPECT_TRUE(S_ISLNK(files.entries().at(path).mode)) << path;
    }
}

TEST_F(Tree, CopiesDirectoriesWithoutSpecialFiles) {
    directory.write("data/a", "1");
    directory.write("data/sub/b", "2");
    std::filesystem::create_symlink("sub/b", directory.path() + "/data/c");
    ASSERT_EQ(::mkfifo((directory.path() + "/data/pipe").c_str(), 0600), 0);
    SourceTree const tree("/");
    GuestFiles guest(tree, Architecture::X86_64, "");
    guest.add_copy(directory.path() + "/data", "/srv/data");
    EXPECT_TRUE(guest.files().contains("/srv/data/a"));
    EXPECT_TRUE(guest.files().contains("/srv/data/sub/b"));
    EXPECT_TRUE(S_ISLNK(guest.files().entries().at("/srv/data/c").mode));
    EXPECT_FALSE(guest.files().contains("/srv/data/pipe"));
    EXPECT_EQ(guest.notes().size(), 1U);
    guest.add_copy(directory.path() + "/data/a", "/into/");
    EXPECT_TRUE(guest.files().contains("/into/a"));
    EXPECT_THROW(guest.add_copy(directory.path() + "/absent", "/x"), CliError);
}

TEST_F(Tree, PacksAnInterpretersLibraries) {
    program("usr/bin/python3.11", make_elf({}));
    directory.write("usr/lib/python3.11/os.py", "");
    directory.write("usr/lib/python3.11/test/big.py", "");
    program("usr/lib/python3.11/lib-dynload/x.so", make_elf({.needed = {"libffi.so"}}));
    program("usr/lib/libffi.so", make_elf({}));
    std::filesystem::create_symlink("python3.11", directory.path() + "/usr/bin/python3");
    SourceTree const tree(directory.path());
    GuestFiles guest(tree, Architecture::X86_64, "");
    guest.add_program(find_program(tree, {"python3"}, kPath));
    auto const found = paths(guest.files());
    EXPECT_TRUE(found.contains("/usr/bin/python3"));
    EXPECT_TRUE(found.contains("/usr/lib/python3.11/os.py"));
    EXPECT_TRUE(found.contains("/usr/lib/libffi.so"));
    EXPECT_FALSE(found.contains("/usr/lib/python3.11/test"));
}

TEST(ElfFile, ReadsTheHostsOwnProgram) {
    auto const info = read_elf("/proc/self/exe");
    ASSERT_TRUE(info);
    EXPECT_EQ(info->architecture(), Architecture::X86_64);
    EXPECT_EQ(info->interpreter, "/lib64/ld-linux-x86-64.so.2");
    EXPECT_NE(std::find(info->needed.begin(), info->needed.end(), "libc.so.6"), info->needed.end());
}

TEST(ElfFile, SurvivesTruncationAnywhere) {
    TestDirectory const directory;
    std::string const whole = make_elf({.interpreter = "/lib/ld.so", .needed = {"liba.so"}});
    for (std::size_t length = 0; length < whole.size(); ++length) {
        static_cast<void>(read_elf(directory.write("cut", whole.substr(0, length))));
    }
    EXPECT_FALSE(read_elf(directory.write("cut", "\x7f" "EL")));
    EXPECT_FALSE(read_elf(directory.path() + "/absent"));
}

TEST(ElfFile, SurvivesFlippedBytes) {
    TestDirectory const directory;
    std::string const whole = make_elf({.interpreter = "/lib/ld.so", .needed = {"liba.so"}, .runpath = "/x"});
    for (std::size_t at = 0; at < whole.size(); ++at) {
        std::string bad = whole;
        bad[at] = static_cast<char>(bad[at] ^ 0xff);
        static_cast<void>(read_elf(directory.write("bad", bad)));
    }
}

TEST(LibraryCache, ReadsTheHostsCache) {
    LibraryCache const cache = LibraryCache::read("/etc/ld.so.cache", Architecture::X86_64);
    EXPECT_TRUE(cache.find("libc.so.6").ends_with("/libc.so.6"));
    EXPECT_EQ(cache.find("no-such-library.so"), "");
}

TEST(LibraryCache, TreatsDamageAsAbsence) {
    EXPECT_EQ(LibraryCache::parse("", Architecture::X86_64).find("libc.so.6"), "");
    std::string damaged = "glibc-ld.so.cache1.1" + std::string(28, '\xff');
    EXPECT_EQ(LibraryCache::parse(damaged, Architecture::X86_64).find("libc.so.6"), "");
}

// The real loader's opinion: every library that ldd lists for a program must be in the closure.
TEST(ElfClosure, AgreesWithTheLoader) {
    SourceTree const tree("/");
    for (char const* program : {"/usr/bin/cmake", "/usr/bin/gdb"}) {
        auto const resolved = tree.resolve(program);
        if (!resolved) continue;
        FileSet files;
        ElfClosure closure(tree, Architecture::X86_64, files, "");
        closure.add(program, resolved->host_path, true);
        FILE* pipe = ::popen((std::string("ldd ") + program).c_str(), "r");
        char line[512];
        int checked = 0;
        while (std::fgets(line, sizeof line, pipe) != nullptr) {
            char const* path = std::strstr(line, "=> /");
            if (path == nullptr) continue;
            std::string const library(path + 3, std::strcspn(path + 3, " \n"));
            auto const real = tree.resolve(library);
            ASSERT_TRUE(real) << library;
            EXPECT_TRUE(files.contains(real->guest_path)) << program << ": " << library;
            ++checked;
        }
        ::pclose(pipe);
        EXPECT_GT(checked, 2);
    }
}

}  // namespace
}  // namespace tutti::cli
