// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/bus/pci_space.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace tutti::drivers {
namespace {

constexpr u64 kMiB = u64{1} << 20;
constexpr u64 kGiB = u64{1} << 30;

// QEMU virt's: one aperture below 4 GiB, one above.
constexpr hal::PciAperture kVirt[] = {{PhysAddr{0x10000000}, 0x10000000, 0x2eff0000}, {PhysAddr{512 * kGiB}, 512 * kGiB, 512 * kGiB}};

TEST(PciSpace, PutsWideRegionsHighAndOthersLow) {
    PciSpace space{kVirt};
    EXPECT_EQ(space.place(kMiB, true).value(), 512 * kGiB);
    EXPECT_EQ(space.place(0x1000, false).value(), 0x10000000u);
    EXPECT_EQ(space.place(kMiB, false).value(), 0x10100000u) << "aligned to its size";
    EXPECT_EQ(space.place(0x1000, false).value(), 0x10001000u) << "the hole is used";
}

TEST(PciSpace, PutsWideRegionsLowWhereThereIsNothingHigh) {
    PciSpace space{{kVirt, 1}};
    EXPECT_EQ(space.place(kMiB, true).value(), 0x10000000u);
}

TEST(PciSpace, SaysWhenThereIsNoRoom) {
    PciSpace space{kVirt};
    EXPECT_EQ(space.place(kGiB, false).value(), 0u) << "larger than the aperture";
    EXPECT_EQ(space.place(3 * kMiB, false).value(), 0u) << "no power of two";
    EXPECT_EQ(space.place(0, false).value(), 0u);
    EXPECT_NE(space.place(u64{1} << 39, true).value(), 0u);
    EXPECT_EQ(space.place(u64{1} << 39, true).value(), 0u) << "it fitted once";
    EXPECT_EQ(space.place(u64{1} << 63, true).value(), 0u);
    EXPECT_EQ(PciSpace({}).place(0x1000, false).value(), 0u);
}

TEST(PciSpace, KeepsANarrowRegionBelow4GiB) {
    constexpr hal::PciAperture across[] = {{PhysAddr{0xfff00000}, 0xfff00000, 16 * kMiB}};
    PciSpace space{across};
    EXPECT_EQ(space.place(kMiB, false).value(), 0xfff00000u);
    EXPECT_EQ(space.place(kMiB, false).value(), 0u);
}

TEST(PciSpace, DoesNotGiveAddressZeroAway) {
    constexpr hal::PciAperture bottom[] = {{PhysAddr{kGiB}, 0, 0x2000}};
    PciSpace space{bottom};
    EXPECT_EQ(space.place(0x1000, false).value(), 0x1000u);
    EXPECT_EQ(space.place(0x1000, false).value(), 0u);
}

TEST(PciSpace, NeverOverlaps) {
    std::mt19937_64 dice{1};
    for (int round = 0; round < 200; ++round) {
        PciSpace space{kVirt};
        std::vector<std::pair<u64, u64>> given;
        for (int i = 0; i < 5; ++i) {
            u64 const size = u64{16} << dice() % 24;
            u64 const at = 0x10000000 + dice() % 0x20000000;
            ASSERT_TRUE(space.take(at, size).has_value());
            given.emplace_back(at, size);
        }
        for (int i = 0; i < 40; ++i) {
            u64 const size = u64{16} << dice() % 26;
            bool const wide = dice() % 2 != 0;
            u64 const at = space.place(size, wide).value();
            if (at == 0) continue;
            EXPECT_EQ(at % size, 0u);
            bool inside = false;
            for (auto const& aperture : kVirt)
                inside |= at >= aperture.bus_address && at + size <= aperture.bus_address + aperture.size;
            EXPECT_TRUE(inside);
            if (!wide) EXPECT_LE(at + size, u64{1} << 32);
            for (auto const& [other, other_size] : given) EXPECT_TRUE(at + size <= other || other + other_size <= at);
            given.emplace_back(at, size);
        }
    }
}

}  // namespace
}  // namespace tutti::drivers
