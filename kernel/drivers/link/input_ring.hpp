// SPDX-License-Identifier: BSD-3-Clause
// The program's input between the interrupt that receives it and the threads that read it: a byte ring with one
// producer and one consumer at a time, without a lock between them.
//
// Progress: wait-free on both sides. Each index is written by one side and read by the other; a release of an index
// publishes what was done to the bytes before it, the acquire on the other side sees it. No reclamation, no ABA: indices
// only grow (64 bits).
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
#include <span>

#include "base/assert.hpp"
#include "base/bits.hpp"

namespace tutti::drivers {

class InputRing {
  public:
    struct Bytes {
        std::span<u8 const> first;
        std::span<u8 const> second;
    };

    // Before the first byte; `memory` has a power of two of bytes and outlives the ring.
    void set_memory(std::span<u8> memory) {
        ASSERT(is_power_of_two(memory.size()));
        memory_ = memory;
    }
    [[nodiscard]] size_t capacity() const { return memory_.size(); }

    // Producer. False, with nothing stored, when there is no room for all of it. Any context.
    [[nodiscard]] bool push(std::span<u8 const> bytes) {
        u64 const head = head_.load(std::memory_order_relaxed);  // ours
        // acquire: pairs with the release in consume(); the reader is done with what we overwrite.
        u64 const room = memory_.size() - (head - tail_.load(std::memory_order_acquire));
        if (bytes.size() > room) return false;
        if (bytes.empty()) return true;
        size_t const at = static_cast<size_t>(head & (memory_.size() - 1));
        size_t const until_wrap = std::min(bytes.size(), memory_.size() - at);
        std::memcpy(memory_.data() + at, bytes.data(), until_wrap);
        std::memcpy(memory_.data(), bytes.data() + until_wrap, bytes.size() - until_wrap);
        // release: the bytes come before the index; pairs with the acquire in bytes() and available().
        head_.store(head + bytes.size(), std::memory_order_release);
        return true;
    }
    // Producer: nothing follows.
    void end() { ended_.store(true, std::memory_order_release); }

    // Consumer, and for available() and is_ready() anybody.
    [[nodiscard]] size_t available() const {
        u64 const tail = tail_.load(std::memory_order_relaxed);
        return static_cast<size_t>(head_.load(std::memory_order_acquire) - tail);
    }
    // True when the end has been announced. What was pushed before it is there: look at this first, then at the bytes.
    [[nodiscard]] bool has_ended() const {
        // acquire: pairs with the release in end(); every push came before it.
        return ended_.load(std::memory_order_acquire);
    }
    [[nodiscard]] bool is_ready() const { return has_ended() || available() != 0; }
    // All that is there.
    [[nodiscard]] Bytes bytes() const {
        size_t const count = available();
        if (count == 0) return {};
        size_t const at = static_cast<size_t>(tail_.load(std::memory_order_relaxed) & (memory_.size() - 1));
        size_t const until_wrap = std::min(count, memory_.size() - at);
        return {memory_.subspan(at, until_wrap), memory_.subspan(0, count - until_wrap)};
    }
    void consume(size_t count) {
        ASSERT(count <= available());
        // release: our reads of the bytes come first; pairs with the acquire in push().
        tail_.store(tail_.load(std::memory_order_relaxed) + count, std::memory_order_release);
    }

  private:
    std::span<u8> memory_;
    alignas(kCacheLine) std::atomic<u64> head_{0};
    std::atomic<bool> ended_{false};
    alignas(kCacheLine) std::atomic<u64> tail_{0};
};

}  // namespace tutti::drivers
