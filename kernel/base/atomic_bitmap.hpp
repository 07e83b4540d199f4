// SPDX-License-Identifier: BSD-3-Clause
// A bitmap of run-time size over caller-provided atomic words: sets of CPUs, free slots.
// Each operation is one atomic access to one word; a scan is not a snapshot. Lock-free, callable from any context.
#pragma once

#include <atomic>
#include <bit>
#include <optional>
#include <span>

#include "base/bits.hpp"

namespace tutti {

class AtomicBitmap {
  public:
    static constexpr size_t kBitsPerWord = 64;
    [[nodiscard]] static constexpr size_t words_for(size_t bits) { return div_ceil(bits, kBitsPerWord); }

    constexpr AtomicBitmap() = default;
    // `words` are zero and outlive the bitmap; they hold at least `bits` bits.
    AtomicBitmap(std::span<std::atomic<u64>> words, size_t bits) : words_{words}, bits_{bits} {}

    [[nodiscard]] size_t size() const { return bits_; }
    [[nodiscard]] ISR_SAFE bool test(size_t bit, std::memory_order order) const { return word(bit).load(order) & mask(bit); }
    // Both return the bit's earlier value.
    ISR_SAFE bool set(size_t bit, std::memory_order order) { return word(bit).fetch_or(mask(bit), order) & mask(bit); }
    ISR_SAFE bool clear(size_t bit, std::memory_order order) { return word(bit).fetch_and(~mask(bit), order) & mask(bit); }

    // A set bit at or after `start`, wrapping round; none when no word showed one.
    [[nodiscard]] ISR_SAFE std::optional<size_t> find_set_from(size_t start, std::memory_order order) const {
        size_t const count = words_for(bits_);
        if (count == 0) return std::nullopt;
        size_t index = start / kBitsPerWord % count;
        u64 const tail = ~u64{0} << (start % kBitsPerWord);
        for (size_t i = 0; i <= count; ++i) {
            u64 bits = words_[index].load(order);
            if (i == 0) bits &= tail;
            if (i == count) bits &= ~tail;
            if (bits != 0) return index * kBitsPerWord + static_cast<size_t>(std::countr_zero(bits));
            index = index + 1 == count ? 0 : index + 1;
        }
        return std::nullopt;
    }

  private:
    std::atomic<u64>& word(size_t bit) const { return words_[bit / kBitsPerWord]; }
    static constexpr u64 mask(size_t bit) { return u64{1} << (bit % kBitsPerWord); }

    std::span<std::atomic<u64>> words_;
    size_t bits_ = 0;
};

}  // namespace tutti
