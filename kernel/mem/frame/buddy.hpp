// SPDX-License-Identifier: BSD-3-Clause
// Binary buddy allocator over an array of frame descriptors, one lock for each order (Knuth, TAOCP vol. 1, 2.5).
//
// A block becomes and ceases to be free of order k under list k's lock only, and one word says both (free_of(k)): a free
// of order k looks at its buddy under lock k, and takes it out under the same lock, before going on to k + 1. Two CPUs that free buddies of
// each other meet at that lock; the first leaves its block in the list, the second finds and merges it.
// Progress: spinning locks, held for a few list operations; callable from any context up to Isr.
#pragma once

#include <span>

#include "base/intrusive_list.hpp"
#include "mem/frame/frame.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::mem {

class Buddy {
  public:
    // The largest block is 2^kMaxOrder frames: 8 MiB.
    static constexpr unsigned kMaxOrder = 11;

    constexpr Buddy() = default;
    // `frames` describe consecutive frames from `first`, all Reserved. Boot CPU.
    void init(std::span<Frame> frames, FrameNumber first);
    // Gives a range of frames to the allocator. Also used later, for memory that was only needed during boot.
    void add(FrameNumber first, u64 count);

    // Null when no block of this order or larger is left. The block's references are 1.
    [[nodiscard]] Frame* allocate(unsigned order);
    // The block's references are 0.
    void free(Frame& block);

    [[nodiscard]] u64 free_frames() const;
    [[nodiscard]] Frame* frame_at(FrameNumber number) const {
        u64 const index = number.value() - first_.value();
        return number >= first_ && index < frames_.size() ? &frames_[index] : nullptr;
    }
    [[nodiscard]] FrameNumber number_of(Frame const& frame) const {
        return first_ + static_cast<u64>(&frame - frames_.data());
    }

  private:
    struct alignas(kCacheLine) FreeList {
        smp::SpinLock lock{smp::LockRank::FrameBuddy, "buddy order"};
        IntrusiveList<Frame, &Frame::node> blocks;
        // Written under the lock, read without it for statistics.
        std::atomic<u64> count{0};
    };
    // Puts a block that nobody else can see into the lists, merging upward.
    void release(u64 index, unsigned order);

    std::span<Frame> frames_;
    FrameNumber first_;
    FreeList lists_[kMaxOrder + 1];
};

}  // namespace tutti::mem
