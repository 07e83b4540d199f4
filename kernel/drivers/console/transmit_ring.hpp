// SPDX-License-Identifier: BSD-3-Clause
// The books of a transmit ring: which bytes are free and which are with the device. Pieces may come back in any order;
// the ring frees them in the order they went out. No memory of its own beyond the books; not synchronised.
//
//        tail_            head_
//     ----+================+------------     offsets run on and are taken modulo the capacity
//         |  with device   |   free
#pragma once

#include "base/assert.hpp"
#include "base/result.hpp"
#include "base/vector.hpp"

namespace tutti::drivers {

class TransmitRing {
  public:
    struct Piece {
        size_t offset = 0;  // in the ring's memory
        size_t length = 0;
    };

    TransmitRing() = default;
    // `capacity` bytes, at most `pieces` out at once. Error::NoMemory.
    [[nodiscard]] static Result<TransmitRing> create(size_t capacity, size_t pieces) {
        ASSERT(capacity != 0 && pieces != 0);
        TransmitRing ring;
        ring.capacity_ = capacity;
        TRY(ring.sent_.try_resize(pieces));
        return ring;
    }

    [[nodiscard]] size_t capacity() const { return capacity_; }
    // 0 as well when as many pieces are out as may be.
    [[nodiscard]] size_t room() const {
        return newest_ - oldest_ == sent_.size() ? 0 : capacity_ - static_cast<size_t>(head_ - tail_);
    }
    [[nodiscard]] bool is_idle() const { return head_ == tail_; }
    // The first `count` <= room() free bytes: up to the end of the memory, then from its start.
    [[nodiscard]] Piece first_piece(size_t count) const {
        ASSERT(count <= room());
        size_t const offset = static_cast<size_t>(head_ % capacity_);
        return {offset, count < capacity_ - offset ? count : capacity_ - offset};
    }
    [[nodiscard]] Piece second_piece(size_t count) const { return {0, count - first_piece(count).length}; }

    // Gives the first `count` <= room() free bytes to the device. Returns the token for take_back().
    u64 give(size_t count) {
        ASSERT(count != 0 && count <= room());
        head_ += count;
        sent_[newest_ % sent_.size()] = {count, false};
        return newest_++;
    }
    // The device has finished a piece. False for a token that is not out.
    [[nodiscard]] bool take_back(u64 token) {
        if (token < oldest_ || token >= newest_ || sent_[token % sent_.size()].done) return false;
        sent_[token % sent_.size()].done = true;
        while (oldest_ != newest_ && sent_[oldest_ % sent_.size()].done) {
            tail_ += sent_[oldest_ % sent_.size()].length;
            ++oldest_;
        }
        return true;
    }

  private:
    struct Sent {
        size_t length = 0;
        bool done = false;
    };
    size_t capacity_ = 0;
    u64 head_ = 0;
    u64 tail_ = 0;
    u64 oldest_ = 0;
    u64 newest_ = 0;
    Vector<Sent> sent_;
};

}  // namespace tutti::drivers
