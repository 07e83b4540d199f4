// SPDX-License-Identifier: BSD-3-Clause
// The ChaCha20 block function (RFC 8439, section 2.3). General registers only; time independent of key and data.
#pragma once

#include <array>
#include <bit>
#include <span>

#include "base/bits.hpp"

namespace tutti::drivers {

inline constexpr size_t kChaChaKeySize = 32;
inline constexpr size_t kChaChaBlockSize = 64;

using ChaChaKey = std::array<u8, kChaChaKeySize>;
using ChaChaNonce = std::array<u8, 12>;

// Writes key-stream block number `counter`.
void chacha20_block(ChaChaKey const& key, u32 counter, ChaChaNonce const& nonce, std::span<u8, kChaChaBlockSize> out);

// Zeroes memory in a way that the compiler may not drop: for keys that have been used.
inline void wipe(std::span<u8> bytes) {
    __builtin_memset(bytes.data(), 0, bytes.size());
    asm volatile("" : : "r"(bytes.data()) : "memory");
}

}  // namespace tutti::drivers
