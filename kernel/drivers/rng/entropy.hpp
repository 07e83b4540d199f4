// SPDX-License-Identifier: BSD-3-Clause
// Random bytes for the kernel and for programs (getrandom, /dev/urandom, AT_RANDOM): a ChaCha20 generator for each
// CPU with fast key erasure, keyed from one pool that gathers the CPU's random instructions, timer jitter and
// virtio-rng.
//
// Fast key erasure (D. J. Bernstein, "Fast-key-erasure random-number generators", 2017): every request replaces the
// key with the first half of the block it made, so a later compromise tells nothing about earlier output.
#pragma once

#include <span>

#include "base/types.hpp"

namespace tutti::drivers {

// Fills `out` with unpredictable bytes. Any context up to Isr; never blocks, never faults, cannot fail. CPUs do not
// contend: the shared pool is touched only after new entropy arrived.
void random_fill(std::span<u8> out);
[[nodiscard]] u64 random_u64();

// Mixes bytes from some source into the pool; every CPU's generator takes a fresh key at its next use. Even bytes
// that an attacker chose cannot make the pool weaker. Any context up to Isr.
void entropy_add(std::span<u8 const> bytes);

// True when the pool has had at least 256 bits from virtio-rng or the CPU's random instructions; before that, only
// timer jitter. Once true, it stays true.
[[nodiscard]] bool entropy_is_seeded();

}  // namespace tutti::drivers
