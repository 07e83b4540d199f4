// SPDX-License-Identifier: BSD-3-Clause
#include "platform/pc/start_info.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "base/bits.hpp"

namespace tutti::platform {
namespace {

constexpr u64 kBase = 0x1000;
std::vector<u8> memory;

std::span<u8 const> read(PhysAddr address, u64 size) {
    if (address.value() < kBase || !range_within(address.value(), size, kBase + memory.size())) return {};
    return {memory.data() + (address.value() - kBase), size};
}

template <class T>
void put(std::vector<u8>& bytes, size_t at, T value) {
    if (bytes.size() < at + sizeof value) bytes.resize(at + sizeof value);
    std::memcpy(bytes.data() + at, &value, sizeof value);
}

// What Xen 4.17 gives its first domain: version 0, so no memory map, and one module for an initial archive.
class FirstDomain : public testing::Test {
  protected:
    FirstDomain() {
        memory.assign(0x100, 0);
        put(memory, 0, u32{0x336ec578});
        put(memory, 32, u64{0xf1234});  // RSDP
        add(0, 0x9f000, 1);
        add(0xf0000, 0x10000, 2);
        add(0x100000, 0x1000'0000, 1);
    }
    void add(u64 base, u64 size, u32 type) {
        size_t const at = map_.size();
        put(map_, at, base);
        put(map_, at + 8, size);
        put(map_, at + 16, type);
    }
    void set_module(u64 base, u64 size) {
        put(memory, 12, u32{1});
        put(memory, 16, kBase + 0x40);
        put(memory, 0x40, base);
        put(memory, 0x48, size);
    }
    Result<StartInfo> parse() { return parse_start_info(PhysAddr{kBase}, read, map_); }

    std::vector<u8> map_;
};

TEST_F(FirstDomain, memory_comes_from_the_separate_map) {
    set_module(0x40'0000, 0x1234);
    Result<StartInfo> const info = parse();
    ASSERT_TRUE(info);
    ASSERT_EQ(info->ram_count, 2u);
    EXPECT_EQ(info->ram[0].size, 0x9f000u);
    EXPECT_EQ(info->ram[1].base, PhysAddr{0x100000});
    EXPECT_EQ(info->ram[1].size, 0x1000'0000u);
    EXPECT_EQ(info->initrd.base, PhysAddr{0x40'0000});
    EXPECT_EQ(info->initrd.size, 0x1234u);
    EXPECT_EQ(info->rsdp, PhysAddr{0xf1234});
}

TEST_F(FirstDomain, needs_a_map) {
    map_.clear();
    EXPECT_EQ(parse().error(), Error::NotSupported);
}

TEST_F(FirstDomain, refuses_maps_that_lie) {
    add(0x200000, 0x1000, 1);  // inside another
    EXPECT_EQ(parse().error(), Error::BadFormat);
    map_.clear();
    add(~u64{0} - 0xfff, 0x2000, 1);  // round the end
    EXPECT_EQ(parse().error(), Error::BadFormat);
    map_.clear();
    add(0, 0x100000, 2);  // no RAM
    EXPECT_EQ(parse().error(), Error::BadFormat);
    map_.clear();
    for (u64 i = 0; i <= StartInfo::kMaxRegions; ++i) add(i << 20, 0x1000, 1);
    EXPECT_EQ(parse().error(), Error::BadFormat);
}

TEST_F(FirstDomain, a_module_outside_memory_is_refused) {
    set_module(0x9e000, 0x2000);
    EXPECT_EQ(parse().error(), Error::BadFormat);
}

TEST_F(FirstDomain, a_map_of_its_own_wins) {
    put(memory, 4, u32{1});
    put(memory, 40, kBase + 0x80);
    put(memory, 48, u32{1});
    put(memory, 0x80, u64{0x100000});
    put(memory, 0x88, u64{0x5000});
    put(memory, 0x90, u32{1});
    Result<StartInfo> const info = parse();
    ASSERT_TRUE(info);
    ASSERT_EQ(info->ram_count, 1u);
    EXPECT_EQ(info->ram[0].size, 0x5000u);
}

}  // namespace
}  // namespace tutti::platform
