// SPDX-License-Identifier: BSD-3-Clause
// The cryptographic parts of the entropy pool, without locks: EntropyPool gathers, KeyErasingGenerator gives out,
// KeyStream expands one request. entropy.cpp puts them on CPUs.
#pragma once

#include "drivers/rng/chacha20.hpp"

namespace tutti::drivers {

// Expands a one-time key into any number of bytes. The key is wiped at the end.
class KeyStream {
  public:
    explicit KeyStream(ChaChaKey const& key) : key_{key} {}
    KeyStream(KeyStream const&) = delete;
    KeyStream& operator=(KeyStream const&) = delete;
    ~KeyStream() { wipe(key_); }
    // Successive calls continue in the key stream at the next whole block.
    void fill(std::span<u8> out);

  private:
    ChaChaKey key_;
    u64 block_ = 0;
};

// One CPU's generator. The caller serialises.
class KeyErasingGenerator {
  public:
    // A key for one request. The generator's own key is replaced first, so it cannot be computed back.
    [[nodiscard]] ChaChaKey next_key();
    // Mixes a fresh key from the pool into the present one: the result is at least as strong as the stronger.
    void rekey(ChaChaKey const& fresh);

  private:
    ChaChaKey key_{};
};

// Gathers entropy in a 256-bit state: each 32 input bytes are added to the state by exclusive or and the state is
// replaced by a ChaCha20 block keyed with it, which cannot be run backwards without the key. The caller serialises.
class EntropyPool {
  public:
    void add(std::span<u8 const> bytes);
    // A key for a CPU's generator. No two are the same, and none tells the pool's state.
    [[nodiscard]] ChaChaKey extract();

  private:
    void stir(u8 purpose);

    ChaChaKey state_{};
    u64 count_ = 0;  // nonce: no two blocks of one pool use the same
};

}  // namespace tutti::drivers
