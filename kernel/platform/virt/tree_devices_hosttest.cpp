// SPDX-License-Identifier: BSD-3-Clause
// Devices of QEMU's own trees, and each thing about them made absurd.
#include "platform/virt/tree_devices.hpp"

#include <gtest/gtest.h>

#include "platform/virt/tree_blob.hpp"

namespace tutti::platform {
namespace {

char const* const kHost = "/pcie@10000000";
char const* const kSlot = "/virtio_mmio@a000000";

TreeDevices read(Blob& blob) {
    EXPECT_EQ(blob.problem(), "");
    TreeDevices found;
    read_tree_devices(blob.bytes(), blob.tree, found);
    return found;
}
TreeDevices read(Blob&& blob) { return read(blob); }

TEST(TreeDevices, ReadsWhatQemuGives) {
    TreeDevices const found = read(Blob("gic_v2_devices"));
    ASSERT_EQ(found.slot_count, 32U);
    EXPECT_EQ(found.slots[0].base.value(), 0x0a000000U);
    EXPECT_EQ(found.slots[0].size, 0x200U);
    EXPECT_EQ(found.slots[31].line, (hal::InterruptLine{.gsi = 32 + 16 + 31, .mode = hal::TriggerMode::Edge}));
    ASSERT_EQ(found.host_count, 1U);
    PciHost const& host = found.hosts[0];
    EXPECT_EQ(host.configuration.base.value(), 0x4010000000U);
    EXPECT_EQ(host.configuration.size, u64{256} << 20);
    EXPECT_EQ(host.first_bus, 0U);
    EXPECT_EQ(host.last_bus, 255U);
    ASSERT_EQ(host.aperture_count, 2U);
    EXPECT_EQ(host.apertures[0].base.value(), 0x10000000U);
    EXPECT_EQ(host.apertures[0].bus_address, 0x10000000U);
    EXPECT_EQ(host.apertures[0].size, 0x2eff0000U);
    EXPECT_EQ(host.apertures[1].base.value(), 0x8000000000U);
    // Pin A of device 1 is wired like pin B of device 0.
    EXPECT_EQ(host.pin_line(1, 1), host.pin_line(0, 2));
    EXPECT_EQ(host.pin_line(0, 1), (hal::InterruptLine{.gsi = 32 + 3, .mode = hal::TriggerMode::Level}));
    EXPECT_EQ(host.pin_line(31, 4), host.pin_line(3, 4));
    ASSERT_EQ(found.frame_count, 1U);
    EXPECT_EQ(found.frames[0].registers.base.value(), 0x08020000U);
    EXPECT_EQ(found.frames[0].count, 0U) << "its own register says";
    EXPECT_EQ(found.translation_service.size, 0U);

    TreeDevices const modern = read(Blob("gic_v3_devices"));
    EXPECT_EQ(modern.frame_count, 0U);
    EXPECT_EQ(modern.translation_service.base.value(), 0x08080000U);
    EXPECT_EQ(modern.hosts[0].message_device(0x0102), 0x0102U);
}

TEST(TreeDevices, LeavesOutSlotsThatAreWrong) {
    auto const count = [](char const* name, std::vector<u32> const& cells) {
        Blob blob("gic_v3_devices");
        return read(blob.set(kSlot, name, cells)).slot_count;
    };
    EXPECT_EQ(count("reg", {0, 0x0a000000, 0, 0x200}), 32U);
    EXPECT_EQ(count("reg", {0, 0x40000000, 0, 0x200}), 31U) << "in memory";
    EXPECT_EQ(count("reg", {0, 0x3ffffff0, 0, 0x200}), 31U) << "reaches into memory";
    EXPECT_EQ(count("reg", {0, 0x0a000000, 0, 0x200000}), 31U) << "large";
    EXPECT_EQ(count("reg", {0xffffffff, 0xffffff00, 0, 0x200}), 31U) << "wraps";
    EXPECT_EQ(count("reg", {0, 0x0a000000}), 31U);
    EXPECT_EQ(count("interrupts", {0, 988, 1}), 31U) << "no such interrupt";
    EXPECT_EQ(count("interrupts", {0, 0xffffffff, 1}), 31U);
    EXPECT_EQ(count("interrupts", {1, 5, 1}), 31U) << "a CPU's own";
    EXPECT_EQ(count("interrupts", {0, 16, 8}), 31U) << "active low";
    EXPECT_EQ(count("interrupts", {0, 16}), 31U);
    EXPECT_EQ(count("interrupt-parent", {77}), 31U) << "another controller's";
    EXPECT_EQ(read(Blob("gic_v3_devices").set(kSlot, "status", "disabled")).slot_count, 31U);
    EXPECT_EQ(read(Blob("gic_v3_devices").set("/", "interrupt-parent", std::vector<u32>{77})).slot_count, 0U);
}

TEST(TreeDevices, LeavesOutHostsThatAreWrong) {
    auto const count = [](char const* name, std::vector<u32> const& cells) {
        Blob blob("gic_v3_devices");
        return read(blob.set(kHost, name, cells)).host_count;
    };
    EXPECT_EQ(count("bus-range", {0, 255}), 1U);
    EXPECT_EQ(count("bus-range", {5, 4}), 0U);
    EXPECT_EQ(count("bus-range", {0, 256}), 0U);
    EXPECT_EQ(count("bus-range", {0}), 0U);
    EXPECT_EQ(count("reg", {0, 0x40000000, 0, 0x10000000}), 0U) << "in memory";
    EXPECT_EQ(count("reg", {0x40, 0x10000000, 0, 0x1000}), 0U) << "not one bus";
    EXPECT_EQ(count("#address-cells", {2}), 0U);
    EXPECT_EQ(count("ranges", {}), 0U);
    EXPECT_EQ(count("ranges", {0x2000000, 0, 0x40000000, 0, 0x40000000, 0, 0x10000000}), 0U) << "in memory";
    EXPECT_EQ(count("ranges", {0x3000000, 0xffffffff, 0xfffff000, 0x80, 0, 0, 0x10000000}), 0U) << "wraps";
    EXPECT_EQ(count("ranges", {0x2000000, 0, 0x10000000, 0, 0x10000000, 0}), 0U) << "cut short";
}

TEST(TreeDevices, CutsConfigurationSpaceToTheBusesThatItHas) {
    Blob blob("gic_v3_devices");
    TreeDevices const found = read(blob.set(kHost, "reg", {0x40, 0x10000000, 0, 0x250000}).set(kHost, "bus-range", {4, 255}));
    ASSERT_EQ(found.host_count, 1U);
    EXPECT_EQ(found.hosts[0].first_bus, 4U);
    EXPECT_EQ(found.hosts[0].last_bus, 5U);
    EXPECT_EQ(found.hosts[0].configuration.size, u64{2} << 20);
}

TEST(TreeDevices, KeepsToPinsThatLeadSomewhere) {
    Blob other("gic_v3_devices");
    EXPECT_EQ(read(other.set(kHost, "interrupt-map", {0, 0, 0, 1, 77, 0, 0, 0, 3, 4})).hosts[0].pin_count, 0U);
    Blob cut("gic_v3_devices");
    EXPECT_EQ(read(cut.set(kHost, "interrupt-map", {0, 0, 0, 1})).hosts[0].pin_line(0, 1), std::nullopt);
    Blob mask("gic_v3_devices");
    EXPECT_EQ(read(mask.set(kHost, "interrupt-map-mask", std::vector<u32>{0})).hosts[0].pin_count, 0U);
}

TEST(TreeDevices, ChecksMapsOfMessages) {
    u32 const its = fdt_get_phandle(Blob("gic_v3_devices").fdt(), Blob("gic_v3_devices").node("/intc@8000000/its@8080000"));
    auto const device = [&](std::vector<u32> const& map, u16 requester) {
        Blob blob("gic_v3_devices");
        return read(blob.set(kHost, "msi-map", map)).hosts[0].message_device(requester);
    };
    EXPECT_EQ(device({0x100, its, 7, 0x100}, 0x101), 8U);
    EXPECT_EQ(device({0x100, its, 7, 0x100}, 0xff), std::nullopt);
    EXPECT_EQ(device({0x100, its, 7, 0x100}, 0x200), std::nullopt);
    EXPECT_EQ(device({0, its + 1, 0, 0x10000}, 1), std::nullopt) << "another's";
    EXPECT_EQ(device({0, its, 0xffffffff, 0x10000}, 1), std::nullopt) << "wraps";
    EXPECT_EQ(device({1, its, 0, 0x10000}, 1), std::nullopt) << "more than there are";
}

TEST(TreeDevices, ChecksFramesOfMessages) {
    char const* const frame = "/intc@8000000/v2m@8020000";
    Blob told("gic_v2_devices");
    TreeDevices const found = read(told.set(frame, "arm,msi-base-spi", std::vector<u32>{80}).set(frame, "arm,msi-num-spis", std::vector<u32>{64}));
    ASSERT_EQ(found.frame_count, 1U);
    EXPECT_EQ(found.frames[0].first, 80U);
    EXPECT_EQ(found.frames[0].count, 64U);
    Blob absurd("gic_v2_devices");
    EXPECT_EQ(read(absurd.set(frame, "arm,msi-base-spi", std::vector<u32>{80}).set(frame, "arm,msi-num-spis", std::vector<u32>{5000})).frame_count, 0U);
    Blob in_memory("gic_v2_devices");
    EXPECT_EQ(read(in_memory.set(frame, "reg", {0, 0x40000000, 0, 0x1000})).frame_count, 0U);
}

}  // namespace
}  // namespace tutti::platform
