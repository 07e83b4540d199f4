// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/rng/chacha20.hpp"

namespace tutti::drivers {
namespace {

void quarter_round(u32& a, u32& b, u32& c, u32& d) {
    a += b;
    d = std::rotl(d ^ a, 16);
    c += d;
    b = std::rotl(b ^ c, 12);
    a += b;
    d = std::rotl(d ^ a, 8);
    c += d;
    b = std::rotl(b ^ c, 7);
}

}  // namespace

ISR_SAFE void chacha20_block(ChaChaKey const& key, u32 counter, ChaChaNonce const& nonce,
                    std::span<u8, kChaChaBlockSize> out) {
    std::array<u32, 16> input{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};  // "expand 32-byte k"
    for (size_t i = 0; i < 8; ++i) input[4 + i] = load_le<u32>(key.data() + 4 * i);
    input[12] = counter;
    for (size_t i = 0; i < 3; ++i) input[13 + i] = load_le<u32>(nonce.data() + 4 * i);

    std::array<u32, 16> x = input;
    for (int round = 0; round < 20; round += 2) {
        quarter_round(x[0], x[4], x[8], x[12]);
        quarter_round(x[1], x[5], x[9], x[13]);
        quarter_round(x[2], x[6], x[10], x[14]);
        quarter_round(x[3], x[7], x[11], x[15]);
        quarter_round(x[0], x[5], x[10], x[15]);
        quarter_round(x[1], x[6], x[11], x[12]);
        quarter_round(x[2], x[7], x[8], x[13]);
        quarter_round(x[3], x[4], x[9], x[14]);
    }
    for (size_t i = 0; i < 16; ++i) store_le<u32>(out.data() + 4 * i, x[i] + input[i]);
}

}  // namespace tutti::drivers
