// SPDX-License-Identifier: BSD-3-Clause
// Each rule with a seeded violation that must be found, at its line, and a clean tree that must be clean.
#include "checker.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "../tutti/test_directory.hpp"

namespace tutti::layercheck {
namespace {

constexpr char kSpdxLine[] = "// SPDX-License-Identifier: BSD-3-Clause\n";

class Layercheck : public ::testing::Test {
  protected:
    Layercheck() {
        tree.write("LAYERS", "# lowest first\nbase\nhal\narch\nsmp # locks\nmem\nnet vfs\nplatform\ninit\n");
        for (char const* folder : {"base", "hal", "smp", "mem", "net", "vfs", "init", "arch/x86_64", "platform/pc"}) {
            tree.write(std::string("kernel/") + folder + "/README.md", "one screen\n");
        }
        source("kernel/base/types.hpp", "#pragma once\n#include <cstdint>\n");
        source("kernel/smp/spin/spin.hpp", "#pragma once\n#include \"base/types.hpp\"\n#include \"arch/cpu.hpp\"\n");
        source("kernel/arch/x86_64/cpu.hpp", "#pragma once\n#include \"hal/cpu.hpp\"\n#if defined(__x86_64__)\n#endif\n");
    }
    void source(std::string const& name, std::string const& body) { tree.write(name, kSpdxLine + body); }
    // The one violation in the tree, as "FILE:LINE".
    std::string only(std::string const& part) {
        auto const found = Checker(tree.path()).check();
        if (found.size() != 1) return std::to_string(found.size()) + " violations";
        EXPECT_NE(found[0].message.find(part), std::string::npos) << found[0].message;
        return found[0].file + ":" + std::to_string(found[0].line);
    }
    cli::TestDirectory tree;
};

TEST_F(Layercheck, PassesACleanTree) {
    Checker checker(tree.path());
    EXPECT_TRUE(checker.check().empty());
    EXPECT_EQ(checker.files(), 3U);
}

TEST_F(Layercheck, FindsAnIncludeOfAHigherLayer) {
    source("kernel/base/bad.cpp", "#include \"base/types.hpp\"\n#include \"smp/spin/spin.hpp\"\n");
    EXPECT_EQ(only("higher layer smp/"), "kernel/base/bad.cpp:3");
}

TEST_F(Layercheck, FindsAnIncludeOfASibling) {
    source("kernel/vfs/bad.hpp", "#pragma once\n  #  include \"net/socket.hpp\"\n");
    EXPECT_EQ(only("sibling net/"), "kernel/vfs/bad.hpp:3");
}

TEST_F(Layercheck, FindsPlatformSeenBelow) {
    source("kernel/mem/bad.cpp", "#include \"platform/pc/acpi.hpp\"\n");
    EXPECT_EQ(only("higher layer platform/"), "kernel/mem/bad.cpp:2");
}

TEST_F(Layercheck, FindsArchIncludingSmp) {
    source("kernel/arch/x86_64/bad.cpp", "#include \"smp/spin/spin.hpp\"\n");
    EXPECT_EQ(only("higher layer smp/"), "kernel/arch/x86_64/bad.cpp:2");
}

TEST_F(Layercheck, FindsARelativeInclude) {
    source("kernel/mem/bad.cpp", "#include \"../net/socket.hpp\"\n");
    EXPECT_EQ(only("goes up"), "kernel/mem/bad.cpp:2");
}

TEST_F(Layercheck, FindsAnIncludeWithoutAFolder) {
    source("kernel/mem/bad.cpp", "#include \"frame.hpp\"\n");
    EXPECT_EQ(only("does not start with a folder"), "kernel/mem/bad.cpp:2");
}

TEST_F(Layercheck, FindsAnArchitectureCondition) {
    for (char const* line : {"#ifdef __x86_64__", "#if defined(__aarch64__) && 1", "#  ifndef __linux__",
                             "#if 1 && \\\n    TUTTI_PLATFORM_PC", "#if 0\n#endif\n#if 1\n#elif defined(__arm__)"}) {
        source("kernel/mem/bad.cpp", std::string(line) + "\n#endif\n");
        EXPECT_EQ(Checker(tree.path()).check().size(), 1U) << line;
    }
}

TEST_F(Layercheck, AllowsConditionsWhereTheyBelong) {
    source("kernel/base/compiler.hpp", "#pragma once\n#ifdef __x86_64__\n#endif\n");
    source("kernel/platform/pc/x.cpp", "#ifdef __linux__\n#endif\n");
    source("kernel/mem/x.cpp", "#ifdef TUTTI_DEBUG\n#endif\n#if MY__x86_64__X\n#endif\n");
    EXPECT_TRUE(Checker(tree.path()).check().empty());
}

TEST_F(Layercheck, IgnoresCommentsAndStrings) {
    source("kernel/mem/x.cpp",
           "// #include \"net/socket.hpp\"\n/* \n#include \"net/socket.hpp\"\n*/\n"
           "char const* a = \"/*\";\nchar b = '\"';\nint c = 1'000;\nchar const* d = \"\\\"#ifdef __arm__\";\n");
    EXPECT_TRUE(Checker(tree.path()).check().empty());
}

TEST_F(Layercheck, ACommentLookAlikeHidesNothing) {
    source("kernel/mem/bad.cpp", "char const* a = \"/*\";\n#include \"net/socket.hpp\"\n");
    EXPECT_EQ(only("higher layer net/"), "kernel/mem/bad.cpp:3");
}

TEST_F(Layercheck, LetsTestsUseAnyLayerButNotTheOtherWayRound) {
    source("kernel/smp/spin/spin_test.cpp", "#include \"harness/test.hpp\"\n#include \"net/socket.hpp\"\n");
    EXPECT_TRUE(Checker(tree.path()).check().empty());
    source("kernel/smp/spin/spin.cpp", "#include \"harness/test.hpp\"\n");
    EXPECT_EQ(only("only tests may include"), "kernel/smp/spin/spin.cpp:2");
}

TEST_F(Layercheck, FindsASequentiallyConsistentStore) {
    source("kernel/smp/bad.cpp", "\nvoid f() { flag.store(g(1), std::memory_order_seq_cst); }\n");
    EXPECT_EQ(only("exchange"), "kernel/smp/bad.cpp:3");
}

TEST_F(Layercheck, AllowsOtherSequentiallyConsistentAccesses) {
    source("kernel/smp/good.cpp",
           "void f() { x.exchange(1, std::memory_order_seq_cst); mine_store(y.load(std::memory_order_seq_cst) ? 1 : 0); }\n");
    EXPECT_TRUE(Checker(tree.path()).check().empty());
}

TEST_F(Layercheck, FindsAMissingReadme) {
    std::filesystem::remove(tree.path() + "/kernel/mem/README.md");
    EXPECT_EQ(only("no README.md"), "kernel/mem:0");
}

TEST_F(Layercheck, FindsAMissingReadmeOfAPort) {
    std::filesystem::remove(tree.path() + "/kernel/platform/pc/README.md");
    EXPECT_EQ(only("no README.md"), "kernel/platform/pc:0");
}

TEST_F(Layercheck, FindsAnUnknownFolder) {
    tree.write("kernel/misc/README.md", "x");
    EXPECT_EQ(only("not in LAYERS"), "kernel/misc:0");
}

TEST_F(Layercheck, FindsAMissingPragma) {
    source("kernel/base/bad.hpp", "// #pragma once\n");
    EXPECT_EQ(only("#pragma once"), "kernel/base/bad.hpp:0");
}

TEST_F(Layercheck, FindsAMissingLicence) {
    tree.write("tools/x/main.cpp", "int main() {}\n");
    EXPECT_EQ(only("SPDX"), "tools/x/main.cpp:1");
}

TEST(Layers, RejectsNonsense) {
    EXPECT_THROW(Layers::parse("base\nbase\n"), std::runtime_error);
    EXPECT_THROW(Layers::parse("# nothing\n"), std::runtime_error);
}

}  // namespace
}  // namespace tutti::layercheck
