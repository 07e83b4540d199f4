// SPDX-License-Identifier: BSD-3-Clause
// ChaCha20 against the vectors of RFC 8439, and the properties that the generator promises.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "drivers/rng/generator.hpp"

namespace tutti::drivers {
namespace {

std::vector<u8> from_hex(std::string_view text) {
    std::vector<u8> bytes;
    auto const digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    for (size_t i = 0; i + 1 < text.size();) {
        if (text[i] == ' ') {
            ++i;
            continue;
        }
        bytes.push_back(static_cast<u8>(digit(text[i]) * 16 + digit(text[i + 1])));
        i += 2;
    }
    return bytes;
}

std::vector<u8> block_of(ChaChaKey const& key, u32 counter, ChaChaNonce const& nonce) {
    std::vector<u8> out(kChaChaBlockSize);
    chacha20_block(key, counter, nonce, std::span<u8, kChaChaBlockSize>{out.data(), kChaChaBlockSize});
    return out;
}

TEST(ChaCha20, BlockOfSection232) {
    ChaChaKey key;
    std::iota(key.begin(), key.end(), u8{0});
    ChaChaNonce const nonce{0, 0, 0, 9, 0, 0, 0, 0x4a, 0, 0, 0, 0};
    EXPECT_EQ(block_of(key, 1, nonce), from_hex("10f1e7e4d13b5915500fdd1fa32071c4 c7d1f4c733c068030422aa9ac3d46c4e"
                                                " d2826446079faa0914c2d705d98b02a2 b5129cd1de164eb9cbd083e8a2503c4e"));
}

TEST(ChaCha20, ZeroKeyVectorOfAppendixA1) {
    EXPECT_EQ(block_of({}, 0, {}), from_hex("76b8e0ada0f13d90405d6ae55386bd28 bdd219b8a08ded1aa836efcc8b770dc7"
                                            " da41597c5157488d7724e03fb8d84a37 6a43b8f41518a11cc387b669b2ee6586"));
}

TEST(ChaCha20, EveryInputMatters) {
    ChaChaKey const key{};
    auto const base = block_of(key, 0, {});
    EXPECT_NE(block_of(key, 1, {}), base);
    for (size_t i = 0; i < kChaChaKeySize; ++i) {
        ChaChaKey other{};
        other[i] = 1;
        EXPECT_NE(block_of(other, 0, {}), base) << "key byte " << i;
    }
    for (size_t i = 0; i < 12; ++i) {
        ChaChaNonce other{};
        other[i] = 0x80;
        EXPECT_NE(block_of(key, 0, other), base) << "nonce byte " << i;
    }
}

TEST(KeyStream, SuccessiveFillsAreOneStreamOfBlocks) {
    ChaChaKey key{};
    key[0] = 7;
    std::vector<u8> whole(256), parts(256);
    KeyStream{key}.fill(whole);
    KeyStream stream{key};
    stream.fill(std::span{parts}.first(128));
    stream.fill(std::span{parts}.subspan(128));
    EXPECT_EQ(whole, parts);
}

TEST(KeyStream, FillsOddLengthsExactly) {
    for (size_t length = 0; length < 200; ++length) {
        std::vector<u8> out(length + 1, 0xaa);
        KeyStream{ChaChaKey{1}}.fill(std::span{out}.first(length));
        EXPECT_EQ(out[length], 0xaa) << length;
    }
}

TEST(KeyErasingGenerator, KeysDifferAndOldOnesAreGone) {
    KeyErasingGenerator generator;
    generator.rekey(ChaChaKey{42});
    std::set<ChaChaKey> seen;
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(generator.next_key()).second);
    // What is in memory now is the last key alone: no earlier output lies in the object.
    ChaChaKey raw;
    static_assert(sizeof generator == sizeof raw);
    std::memcpy(raw.data(), &generator, sizeof raw);
    EXPECT_EQ(seen.count(raw), 0u);
}

TEST(EntropyPool, InputAndOrderMatter) {
    auto const key_after = [](std::vector<std::string_view> const& inputs) {
        EntropyPool pool;
        for (auto const input : inputs) pool.add({reinterpret_cast<u8 const*>(input.data()), input.size()});
        return pool.extract();
    };
    EXPECT_EQ(key_after({"a", "b"}), key_after({"a", "b"}));
    EXPECT_NE(key_after({"a", "b"}), key_after({"b", "a"}));
    EXPECT_NE(key_after({"a"}), key_after({"a", ""}));
    EXPECT_NE(key_after({"0123456789abcdef0123456789abcdef!"}), key_after({"0123456789abcdef0123456789abcdef"}));
}

TEST(EntropyPool, ExtractsNeverRepeat) {
    EntropyPool pool;
    std::set<ChaChaKey> seen;
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(pool.extract()).second);
}

TEST(EntropyPool, OutputBitsAreBalanced) {
    EntropyPool pool;
    KeyErasingGenerator generator;
    generator.rekey(pool.extract());
    std::vector<u8> bytes(1 << 16);
    KeyStream{generator.next_key()}.fill(bytes);
    long ones = 0;
    for (u8 const byte : bytes) ones += std::popcount(byte);
    // Mean n/2, standard deviation sqrt(n)/2 = 362 for n = 2^19: six of them.
    EXPECT_NEAR(static_cast<double>(ones), 8.0 * static_cast<double>(bytes.size()) / 2, 6 * 362.0);
}

}  // namespace
}  // namespace tutti::drivers
