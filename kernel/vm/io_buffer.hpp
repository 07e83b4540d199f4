// SPDX-License-Identifier: BSD-3-Clause
// A stretch of bytes to read into or write from, in the kernel or in the program's memory, possibly scattered.
//
// File objects move data through it without knowing which: it remembers its position, and a wild pointer in the middle
// ends the transfer with what was moved so far, as read(2) and write(2) promise.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>

#include "vm/user_copy.hpp"

namespace tutti::vm {

struct IoVector {
    VirtAddr base;
    u64 length = 0;
};

class IoBuffer {
  public:
    // Kernel memory; outlives the buffer. A const span may only be the source of a transfer.
    [[nodiscard]] static IoBuffer kernel(std::span<u8> bytes) { return IoBuffer{bytes.data(), bytes.size()}; }
    [[nodiscard]] static IoBuffer kernel(std::span<u8 const> bytes) {
        return IoBuffer{const_cast<u8*>(bytes.data()), bytes.size()};
    }
    [[nodiscard]] static IoBuffer user(VirtAddr address, u64 length) {
        IoBuffer buffer;
        buffer.single_ = {address, length};
        buffer.count_ = 1;
        buffer.total_ = length;
        return buffer;
    }
    // The vectors outlive the buffer.
    [[nodiscard]] static IoBuffer user(std::span<IoVector const> vectors) {
        IoBuffer buffer;
        buffer.vectors_ = vectors.data();
        buffer.count_ = vectors.size();
        for (IoVector const& vector : vectors) buffer.total_ += vector.length;
        return buffer;
    }

    [[nodiscard]] u64 size() const { return total_; }
    [[nodiscard]] u64 done() const { return done_; }
    [[nodiscard]] u64 remaining() const { return total_ - done_; }
    [[nodiscard]] bool is_kernel() const { return kernel_ != nullptr; }

    // Moves up to `size` bytes out of the buffer into `to`, or from `from` into the buffer, and advances by what was
    // moved: less than `size` at the end of the buffer or before a bad address. Error::BadAddress when not one byte
    // could be moved although some remained. May fault and block when the memory is the program's.
    [[nodiscard]] Result<u64> read_from(void* to, u64 size) {
        return transfer(size, [&](u64 offset, u8* kernel_at, VirtAddr user_at, u64 count) -> Result<u64> {
            if (kernel_at != nullptr) {
                std::memcpy(static_cast<u8*>(to) + offset, kernel_at, count);
                return count;
            }
            return copy_from_user_partial(static_cast<u8*>(to) + offset, user_at, count);
        });
    }
    [[nodiscard]] Result<u64> write_to(void const* from, u64 size) {
        return transfer(size, [&](u64 offset, u8* kernel_at, VirtAddr user_at, u64 count) -> Result<u64> {
            if (kernel_at != nullptr) {
                std::memcpy(kernel_at, static_cast<u8 const*>(from) + offset, count);
                return count;
            }
            return copy_to_user_partial(user_at, static_cast<u8 const*>(from) + offset, count);
        });
    }
    // Fills with zero bytes.
    [[nodiscard]] Result<u64> write_zeros(u64 size) {
        return transfer(size, [&](u64, u8* kernel_at, VirtAddr user_at, u64 count) -> Result<u64> {
            if (kernel_at != nullptr) {
                std::memset(kernel_at, 0, count);
                return count;
            }
            TRY(zero_user(user_at, count));
            return count;
        });
    }
    // Skips without moving anything (a sink that discards).
    void skip(u64 size) {
        (void)transfer(size, [](u64, u8*, VirtAddr, u64 count) -> Result<u64> { return count; });
    }

  private:
    IoBuffer() = default;
    IoBuffer(u8* bytes, u64 size) : kernel_{bytes}, total_{size} {
        static u8 empty;
        if (kernel_ == nullptr) kernel_ = &empty;
    }

    template <class Move>
    Result<u64> transfer(u64 size, Move move) {
        size = std::min(size, remaining());
        u64 moved = 0;
        if (kernel_ != nullptr) {
            if (size != 0) moved = TRY(move(u64{0}, kernel_ + done_, VirtAddr{}, size));
            done_ += moved;
            return moved;
        }
        while (moved < size) {
            IoVector const& vector = vectors_ != nullptr ? vectors_[index_] : single_;
            if (offset_ == vector.length) {
                ++index_;
                offset_ = 0;
                continue;
            }
            u64 const count = std::min(size - moved, vector.length - offset_);
            Result<u64> const step = move(moved, static_cast<u8*>(nullptr), VirtAddr{vector.base + offset_}, count);
            if (!step) {
                if (moved != 0) return moved;
                return step;
            }
            moved += *step;
            offset_ += *step;
            done_ += *step;
            if (*step < count) return moved;
        }
        return moved;
    }

    u8* kernel_ = nullptr;
    IoVector single_;
    IoVector const* vectors_ = nullptr;
    size_t count_ = 0;
    size_t index_ = 0;
    u64 offset_ = 0;
    u64 total_ = 0;
    u64 done_ = 0;
};

}  // namespace tutti::vm
