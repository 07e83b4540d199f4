// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

#include "base/random.hpp"
#include "drivers/link/input_ring.hpp"

namespace tutti::drivers {
namespace {

TEST(InputRing, WithoutMemoryItTakesNothing) {
    InputRing ring;
    EXPECT_TRUE(ring.push({}));
    u8 const byte = 1;
    EXPECT_FALSE(ring.push({&byte, 1}));
    EXPECT_FALSE(ring.is_ready());
    ring.end();
    EXPECT_TRUE(ring.is_ready());
    EXPECT_TRUE(ring.bytes().first.empty());
}

TEST(InputRing, TakesAllOrNothing) {
    std::array<u8, 8> memory{};
    InputRing ring;
    ring.set_memory(memory);
    std::array<u8, 9> const data{1, 2, 3, 4, 5, 6, 7, 8, 9};
    EXPECT_FALSE(ring.push(data));
    EXPECT_EQ(ring.available(), 0u);
    EXPECT_TRUE(ring.push(std::span{data}.first(6)));
    EXPECT_FALSE(ring.push(std::span{data}.first(3)));
    ring.consume(5);
    EXPECT_TRUE(ring.push(std::span{data}.first(7)));
    EXPECT_EQ(ring.bytes().first.size(), 3u);
    EXPECT_EQ(ring.bytes().second.size(), 5u);
    EXPECT_EQ(ring.bytes().first[0], 6);
    EXPECT_EQ(ring.bytes().second[4], 7);
}

TEST(InputRing, CarriesAStreamBetweenTwoThreads) {
    constexpr u64 kTotal = 2'000'000;
    std::vector<u8> memory(256);
    InputRing ring;
    ring.set_memory(memory);
    std::thread producer{[&] {
        SplitMix64 random{1};
        std::vector<u8> chunk;
        for (u64 sent = 0; sent < kTotal; sent += chunk.size()) {
            chunk.resize(std::min<u64>(1 + random.below(200), kTotal - sent));
            for (size_t i = 0; i < chunk.size(); ++i) chunk[i] = static_cast<u8>((sent + i) * 7);
            while (!ring.push(chunk)) std::this_thread::yield();
        }
        ring.end();
    }};
    SplitMix64 random{2};
    u64 received = 0;
    bool same = true;
    for (;;) {
        bool const ended = ring.has_ended();
        auto const bytes = ring.bytes();
        size_t const there = bytes.first.size() + bytes.second.size();
        if (there == 0) {
            if (ended) break;
            std::this_thread::yield();
            continue;
        }
        size_t const count = 1 + random.below(there);
        for (size_t i = 0; i < count; ++i) {
            u8 const byte = i < bytes.first.size() ? bytes.first[i] : bytes.second[i - bytes.first.size()];
            same &= byte == static_cast<u8>((received + i) * 7);
        }
        received += count;
        ring.consume(count);
    }
    producer.join();
    EXPECT_TRUE(same);
    EXPECT_EQ(received, kTotal);
}

}  // namespace
}  // namespace tutti::drivers
