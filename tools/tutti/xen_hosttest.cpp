// SPDX-License-Identifier: BSD-3-Clause
// What Xen is told and what is read of its output.
#include <gtest/gtest.h>
#include <libfdt.h>

#include <fstream>
#include <iterator>

#include "cli_error.hpp"
#include "size.hpp"
#include "xen_console.hpp"
#include "xen_device_tree.hpp"

namespace tutti::cli {
namespace {

TEST(XenConsole, TellsTheGuestsLinesFromXens) {
    EXPECT_EQ(guest_line("ok 1 - a test"), "ok 1 - a test");
    EXPECT_EQ(guest_line("(d1) ~TWFu"), "~TWFu");
    EXPECT_EQ(guest_line("(XEN) DOM1: 1..4"), "1..4");
    EXPECT_EQ(guest_line("(XEN) Brought up 4 CPUs"), std::nullopt);
    EXPECT_EQ(guest_line(""), std::nullopt);
}

std::string machine_tree() {
    std::ifstream file(TUTTI_MACHINE_TREE, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(XenDeviceTree, NamesTheDomainAndItsModules) {
    std::string const tree = xen_device_tree(machine_tree(), {.cpus = 3,
                                                              .memory = 256 * kMiB,
                                                              .kernel = {0x50000000, 0x1234},
                                                              .ramdisk = {0x50200000, 0x5678},
                                                              .kernel_arguments = "log=debug",
                                                              .xen_arguments = "console=dtuart"});
    void const* const blob = tree.data();
    ASSERT_EQ(fdt_check_full(blob, tree.size()), 0);
    auto const text = [&](char const* path, char const* name) {
        auto const* const value = static_cast<char const*>(fdt_getprop(blob, fdt_path_offset(blob, path), name, nullptr));
        return std::string(value != nullptr ? value : "(none)");
    };
    auto const numbers = [&](char const* path, char const* name) {
        int size = 0;
        auto const* const value = static_cast<fdt64_t const*>(fdt_getprop(blob, fdt_path_offset(blob, path), name, &size));
        std::vector<std::uint64_t> result;
        for (int i = 0; value != nullptr && i < size / 8; ++i) result.push_back(fdt64_ld(value + i));
        return result;
    };
    using Numbers = std::vector<std::uint64_t>;
    EXPECT_EQ(text("/chosen", "xen,xen-bootargs"), "console=dtuart");
    EXPECT_EQ(text("/chosen/domU1", "compatible"), "xen,domain");
    EXPECT_EQ(numbers("/chosen/domU1", "memory"), Numbers{256 * 1024});
    int size = 0;
    auto const* const cpus = static_cast<fdt32_t const*>(fdt_getprop(blob, fdt_path_offset(blob, "/chosen/domU1"), "cpus", &size));
    ASSERT_EQ(size, 4);
    EXPECT_EQ(fdt32_ld(cpus), 3U);
    EXPECT_EQ(text("/chosen/domU1/module@50000000", "compatible"), "multiboot,kernel");
    EXPECT_EQ(text("/chosen/domU1/module@50000000", "bootargs"), "log=debug");
    EXPECT_EQ(numbers("/chosen/domU1/module@50000000", "reg"), (Numbers{0x50000000, 0x1234}));
    EXPECT_EQ(text("/chosen/domU1/module@50200000", "compatible"), "multiboot,ramdisk");
    EXPECT_EQ(numbers("/chosen/domU1/module@50200000", "reg"), (Numbers{0x50200000, 0x5678}));
}

TEST(XenDeviceTree, RefusesWhatIsNone) {
    EXPECT_THROW((void)xen_device_tree("", {}), CliError);
    EXPECT_THROW((void)xen_device_tree(machine_tree().substr(0, 100), {}), CliError);
}

}  // namespace
}  // namespace tutti::cli
