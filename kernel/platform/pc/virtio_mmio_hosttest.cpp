// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "platform/pc/virtio_mmio.hpp"

namespace tutti::platform {
namespace {

TEST(VirtioMmioWord, ReadsWhatHypervisorsWrite) {
    auto const slot = parse_virtio_mmio("512@0xfeb00e00:12");
    ASSERT_TRUE(slot.has_value());
    EXPECT_EQ(slot->size, 512u);
    EXPECT_EQ(slot->base, PhysAddr{0xfeb00e00});
    EXPECT_EQ(slot->line.gsi, 12u);
    EXPECT_EQ(parse_virtio_mmio("4K@0xd0000000:5:0")->size, 4096u);
    EXPECT_EQ(parse_virtio_mmio("1M@4096:5")->base, PhysAddr{4096});
}

TEST(VirtioMmioWord, RefusesTheRest) {
    for (char const* const text :
         {"", "512", "512@", "512@0x", "512@0x1000", "512@0x1000:", "512@0x1000:x", "512@0x1000:5x", "@0x1000:5",
          "0@0x1000:5", "2M@0x1000:5", "512@0xffffffffffffffff:5", "512@0x1ffffffffffffffff:5", "512@0x1000:65536",
          "99999999999999999999@0x1000:5", "-1@0x1000:5", "512K M@0:5"})
        EXPECT_FALSE(parse_virtio_mmio(text).has_value()) << text;
}

TEST(VirtioMmioWord, CommandLineIsSearchedByWords) {
    add_virtio_mmio_from("log=debug virtio_mmio.device=512@0xfeb00000:5 xvirtio_mmio.device=512@0xfeb00200:6 "
                         "virtio_mmio.device=512@0xfeb00400:7 virtio_mmio.device=bad virtio_mmio.device=512@0xfeb00000:5");
    auto const slots = hal::virtio_mmio_slots();
    ASSERT_EQ(slots.size(), 2u);
    EXPECT_EQ(slots[0].line.gsi, 5u);
    EXPECT_EQ(slots[1].base, PhysAddr{0xfeb00400});
}

}  // namespace
}  // namespace tutti::platform
