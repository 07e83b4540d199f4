// SPDX-License-Identifier: BSD-3-Clause
// Each thing that the kernel needs of a device tree, taken away or made absurd, and what is then said.
#include "platform/virt/device_tree.hpp"

#include <gtest/gtest.h>

#include "platform/virt/tree_blob.hpp"

namespace tutti::platform {
namespace {

TEST(DeviceTree, ReadsWhatQemuGives) {
    Blob blob("initrd");
    ASSERT_EQ(blob.problem(), "");
    DeviceTree const& tree = blob.tree;
    ASSERT_EQ(tree.ram_count, 1U);
    EXPECT_EQ(tree.ram[0].base.value(), 0x40000000U);
    EXPECT_EQ(tree.ram[0].size, u64{512} << 20);
    EXPECT_EQ(tree.initrd.size, 5000U);
    EXPECT_EQ(tree.command_line, "tests=list");
    EXPECT_EQ(tree.cpu_count, 3U);
    EXPECT_EQ(tree.psci, PsciConduit::Smc) << "EL2 is the kernel's";
    EXPECT_EQ(tree.gic.version, 3U);
    EXPECT_EQ(tree.gic.distributor.base.value(), 0x08000000U);
    ASSERT_EQ(tree.gic.redistributor_regions, 1U);
    EXPECT_EQ(tree.gic.redistributors[0].base.value(), 0x080a0000U);
    EXPECT_EQ(tree.timer_interrupt, 27U);
    EXPECT_EQ(tree.pl011.value(), 0x09000000U);
    EXPECT_EQ(tree.pl031.value(), 0x09010000U);
    u64 affinities[3];
    read_cpu_affinities(blob.bytes(), affinities);
    EXPECT_EQ(affinities[2], 2U);

    Blob old("gic_v2");
    ASSERT_EQ(old.problem(), "");
    EXPECT_EQ(old.tree.psci, PsciConduit::Hvc);
    EXPECT_EQ(old.tree.gic.version, 2U);
    EXPECT_EQ(old.tree.gic.cpu_interface.base.value(), 0x08010000U);
    EXPECT_EQ(old.tree.ram[0].size, u64{4} << 30);
}

TEST(DeviceTree, SaysWhatIsMissing) {
    EXPECT_EQ(Blob("gic_v3").remove("/memory@40000000").problem(), "the device tree lists no memory");
    EXPECT_EQ(Blob("gic_v3").remove("/cpus").problem(), "the device tree lists no CPU");
    EXPECT_EQ(Blob("gic_v3").remove("/timer").problem(), "the device tree has no virtual timer");
    EXPECT_EQ(Blob("gic_v3").remove("/intc@8000000").problem(),
              "the device tree has no interrupt controller that we know (GICv2, GICv3)");
    Blob quiet("gic_v3");
    EXPECT_EQ(quiet.remove("/pl011@9000000").remove("/pl031@9010000").remove("/psci").remove("/chosen").problem(), "");
    EXPECT_TRUE(quiet.tree.pl011.is_null());
    EXPECT_EQ(quiet.tree.psci, PsciConduit::None);
}

TEST(DeviceTree, RefusesTheAbsurd) {
    char const* const memory = "/memory@40000000";
    EXPECT_EQ(Blob("gic_v3").set(memory, "reg", {0, 0x40000000, 0, 100}).problem(), "the device tree lists no memory");
    EXPECT_EQ(Blob("gic_v3").set(memory, "reg", {0, 0x40000000, 0xffffffff, 0xfffff000}).problem(),
              "the device tree lists no memory")
        << "wraps";
    EXPECT_EQ(Blob("gic_v3").set(memory, "reg", {0, 0x40000000, 0, 0x200000, 0, 0x40100000, 0, 0x200000}).problem(),
              "pieces of memory in the device tree overlap");
    std::vector<u32> many;
    for (u32 i = 0; i < 129; ++i) many.insert(many.end(), {0, i << 20, 0, 0x1000});
    EXPECT_EQ(Blob("gic_v3").set(memory, "reg", many).problem(), "the device tree lists more than 128 pieces of memory");
    EXPECT_EQ(Blob("gic_v3").set("/", "#address-cells", {9}).problem(), "the device tree lists no memory");
    EXPECT_EQ(Blob("initrd").set("/chosen", "linux,initrd-end", {0x7fffffff}).problem(),
              "the device tree's initial archive is not in memory");
    EXPECT_EQ(Blob("initrd").set("/chosen", "linux,initrd-start", {1, 2, 3}).problem(),
              "the device tree's initial archive has no valid place");
    EXPECT_EQ(Blob("gic_v3").set("/cpus/cpu@0", "status", "disabled").set("/cpus/cpu@1", "status", "fail").problem(),
              "the device tree lists no CPU");
    EXPECT_EQ(Blob("gic_v3").set("/timer", "interrupts", {1, 13, 4}).problem(), "the device tree has no virtual timer");
    EXPECT_NE(Blob("gic_v3").set("/intc@8000000", "#redistributor-regions", {7}).problem(), "");
}

TEST(DeviceTree, ReadsWhatXenGives) {
    Blob blob("xen");
    ASSERT_EQ(blob.problem(), "");
    DeviceTree const& tree = blob.tree;
    ASSERT_EQ(tree.ram_count, 1U);
    EXPECT_EQ(tree.ram[0].base.value(), 0x40000000U);
    EXPECT_EQ(tree.ram[0].size, u64{256} << 20);
    EXPECT_EQ(tree.initrd.base.value(), 0x48200000U);
    EXPECT_EQ(tree.initrd.size, 5000U);
    EXPECT_EQ(tree.command_line, "tests=list");
    EXPECT_EQ(tree.cpu_count, 3U);
    EXPECT_EQ(tree.psci, PsciConduit::Hvc);
    EXPECT_EQ(tree.gic.version, 3U);
    EXPECT_EQ(tree.timer_interrupt, 27U);
    EXPECT_EQ(tree.pl011.value(), 0x22000000U);
    EXPECT_TRUE(tree.pl031.is_null());
}

TEST(DeviceTree, XenSaysThatThereIsNoArchive) {
    Blob blob("initrd");
    blob.set("/chosen", "linux,initrd-start", {0, 0}).set("/chosen", "linux,initrd-end", {0, 0});
    EXPECT_EQ(blob.problem(), "");
    EXPECT_EQ(blob.tree.initrd.size, 0U);
}

TEST(DeviceTree, RefusesDamage) {
    Blob blob("gic_v3");
    EXPECT_NE(device_tree_size(blob.fdt()), 0U);
    std::span<u8 const> const bytes = blob.bytes();
    DeviceTree tree;
    EXPECT_FALSE(read_device_tree(bytes.first(30), tree));
    EXPECT_FALSE(read_device_tree(bytes.first(bytes.size() / 2), tree));
    fdt_set_totalsize(blob.fdt(), kMaxDeviceTree + 8);
    EXPECT_EQ(device_tree_size(blob.fdt()), 0U);
    fdt_set_magic(blob.fdt(), 1);
    EXPECT_EQ(device_tree_size(blob.fdt()), 0U);
}

TEST(DeviceTree, FindsReservedMemory) {
    Blob blob("gic_v3");
    ASSERT_EQ(fdt_add_mem_rsv(blob.fdt(), 0x41000000, 0x2000), 0);
    int const parent = fdt_add_subnode(blob.fdt(), 0, "reserved-memory");
    ASSERT_GE(parent, 0);
    ASSERT_GE(fdt_add_subnode(blob.fdt(), parent, "firmware"), 0);
    blob.set("/reserved-memory", "#address-cells", {2}).set("/reserved-memory", "#size-cells", {2});
    blob.set("/reserved-memory/firmware", "reg", {0, 0x42000000, 0, 0x1000});
    ASSERT_EQ(blob.problem(), "");
    ASSERT_EQ(blob.tree.reserved_count, 2U);
    EXPECT_EQ(blob.tree.reserved[0].base.value(), 0x41000000U);
    EXPECT_EQ(blob.tree.reserved[1].base.value(), 0x42000000U);
    EXPECT_EQ(blob.tree.reserved[1].size, 0x1000U);
}

}  // namespace
}  // namespace tutti::platform
