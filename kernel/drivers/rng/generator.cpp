// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/rng/generator.hpp"

#include <algorithm>
#include <cstring>

namespace tutti::drivers {
namespace {

using Block = std::array<u8, kChaChaBlockSize>;

// The nonce holds the high half of the block number, so that a request may be longer than 2^32 blocks, and a tag
// that keeps the uses of a key apart.
ChaChaNonce nonce_for(u64 number, u8 purpose) {
    ChaChaNonce nonce{};
    store_le<u64>(nonce.data(), number);
    nonce[8] = purpose;
    return nonce;
}

constexpr u8 kPurposeStream = 0;
constexpr u8 kPurposeNextKey = 1;
constexpr u8 kPurposeAbsorb = 2;
constexpr u8 kPurposeExtract = 3;

}  // namespace

void KeyStream::fill(std::span<u8> out) {
    Block block;
    while (!out.empty()) {
        chacha20_block(key_, static_cast<u32>(block_), nonce_for(block_ >> 32, kPurposeStream), block);
        ++block_;
        size_t const count = std::min(out.size(), block.size());
        std::memcpy(out.data(), block.data(), count);
        out = out.subspan(count);
    }
    wipe(block);
}

ChaChaKey KeyErasingGenerator::next_key() {
    Block block;
    chacha20_block(key_, 0, nonce_for(0, kPurposeNextKey), block);
    ChaChaKey result;
    std::memcpy(key_.data(), block.data(), kChaChaKeySize);
    std::memcpy(result.data(), block.data() + kChaChaKeySize, kChaChaKeySize);
    wipe(block);
    return result;
}

void KeyErasingGenerator::rekey(ChaChaKey const& fresh) {
    for (size_t i = 0; i < key_.size(); ++i) key_[i] ^= fresh[i];
}

ISR_SAFE void EntropyPool::add(std::span<u8 const> bytes) {
    do {
        size_t const count = std::min(bytes.size(), state_.size());
        for (size_t i = 0; i < count; ++i) state_[i] ^= bytes[i];
        bytes = bytes.subspan(count);
        stir(kPurposeAbsorb);
    } while (!bytes.empty());
}

ChaChaKey EntropyPool::extract() {
    Block block;
    chacha20_block(state_, 0, nonce_for(++count_, kPurposeExtract), block);
    ChaChaKey result;
    std::memcpy(state_.data(), block.data(), kChaChaKeySize);
    std::memcpy(result.data(), block.data() + kChaChaKeySize, kChaChaKeySize);
    wipe(block);
    return result;
}

void EntropyPool::stir(u8 purpose) {
    Block block;
    chacha20_block(state_, 0, nonce_for(++count_, purpose), block);
    std::memcpy(state_.data(), block.data(), kChaChaKeySize);
    wipe(block);
}

}  // namespace tutti::drivers
