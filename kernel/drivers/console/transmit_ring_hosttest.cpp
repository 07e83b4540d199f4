// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "base/random.hpp"
#include "drivers/console/transmit_ring.hpp"

namespace tutti::drivers {
namespace {

TEST(TransmitRing, PiecesWrapAtTheEndOfTheMemory) {
    auto ring = *TransmitRing::create(100, 4);
    EXPECT_EQ(ring.room(), 100u);
    u64 const first = ring.give(70);
    EXPECT_EQ(ring.room(), 30u);
    ASSERT_TRUE(ring.take_back(first));
    EXPECT_TRUE(ring.is_idle());
    EXPECT_EQ(ring.first_piece(50).offset, 70u);
    EXPECT_EQ(ring.first_piece(50).length, 30u);
    EXPECT_EQ(ring.second_piece(50).offset, 0u);
    EXPECT_EQ(ring.second_piece(50).length, 20u);
    EXPECT_EQ(ring.second_piece(30).length, 0u);
}

TEST(TransmitRing, FreesInOrderWhateverOrderThePiecesComeBackIn) {
    auto ring = *TransmitRing::create(100, 4);
    u64 const a = ring.give(10), b = ring.give(20), c = ring.give(30);
    ASSERT_TRUE(ring.take_back(b));
    EXPECT_EQ(ring.room(), 40u);
    ASSERT_TRUE(ring.take_back(a));
    EXPECT_EQ(ring.room(), 70u);
    ASSERT_TRUE(ring.take_back(c));
    EXPECT_EQ(ring.room(), 100u);
}

TEST(TransmitRing, HasNoRoomForMorePiecesThanItsBooksHold) {
    auto ring = *TransmitRing::create(100, 2);
    u64 const a = ring.give(1);
    (void)ring.give(1);
    EXPECT_EQ(ring.room(), 0u);
    ASSERT_TRUE(ring.take_back(a));
    EXPECT_EQ(ring.room(), 99u);
}

TEST(TransmitRing, RefusesTokensThatAreNotOut) {
    auto ring = *TransmitRing::create(100, 2);
    EXPECT_FALSE(ring.take_back(0));
    u64 const a = ring.give(1), b = ring.give(1);
    EXPECT_TRUE(ring.take_back(b));
    EXPECT_FALSE(ring.take_back(b)) << "twice";
    EXPECT_TRUE(ring.take_back(a));
    EXPECT_FALSE(ring.take_back(a));
    EXPECT_FALSE(ring.take_back(b + 1));
    EXPECT_FALSE(ring.take_back(~u64{0}));
}

// No byte is given out twice, and all come back.
TEST(TransmitRing, KeepsItsBooksOverRandomTraffic) {
    constexpr size_t kCapacity = 257;
    auto ring = *TransmitRing::create(kCapacity, 7);
    SplitMix64 random{1};
    struct Out {
        u64 token;
        std::vector<TransmitRing::Piece> pieces;
    };
    std::vector<Out> out;
    std::set<size_t> busy;
    for (int step = 0; step < 100000; ++step) {
        if (size_t const room = ring.room(); room != 0 && random.below(2) == 0) {
            size_t const count = 1 + random.below(room);
            Out piece{0, {ring.first_piece(count), ring.second_piece(count)}};
            for (auto const& p : piece.pieces)
                for (size_t i = 0; i < p.length; ++i) ASSERT_TRUE(busy.insert(p.offset + i).second);
            piece.token = ring.give(count);
            out.push_back(piece);
        } else if (!out.empty()) {
            size_t const which = random.below(out.size());
            ASSERT_TRUE(ring.take_back(out[which].token));
            for (auto const& p : out[which].pieces)
                for (size_t i = 0; i < p.length; ++i) busy.erase(p.offset + i);
            out.erase(out.begin() + static_cast<long>(which));
        }
        ASSERT_LE(ring.room() + busy.size(), kCapacity);
    }
    for (auto const& piece : out) ASSERT_TRUE(ring.take_back(piece.token));
    EXPECT_TRUE(ring.is_idle());
    EXPECT_EQ(ring.room(), kCapacity);
}

}  // namespace
}  // namespace tutti::drivers
