// SPDX-License-Identifier: BSD-3-Clause
#include "mem/frame/buddy.hpp"

#include <algorithm>
#include <bit>

namespace tutti::mem {

void Buddy::init(std::span<Frame> frames, FrameNumber first) {
    // Blocks are aligned by absolute frame number, so that a block's physical address is aligned to its size.
    CHECK(first.value() % (u64{1} << kMaxOrder) == 0);
    frames_ = frames;
    first_ = first;
}

void Buddy::add(FrameNumber first, u64 count) {
    u64 index = first - first_;
    CHECK(index + count <= frames_.size());
    while (count != 0) {
        unsigned const aligned = index == 0 ? kMaxOrder : static_cast<unsigned>(std::countr_zero(index));
        unsigned const fits = static_cast<unsigned>(std::bit_width(count)) - 1;
        unsigned const order = std::min({aligned, fits, kMaxOrder});
        for (u64 i = 1; i < u64{1} << order; ++i)
            frames_[index + i].state.store(FrameState::Tail, std::memory_order_relaxed);
        frames_[index].state.store(FrameState::Allocated, std::memory_order_relaxed);
        release(index, order);
        index += u64{1} << order;
        count -= u64{1} << order;
    }
}

Frame* Buddy::allocate(unsigned order) {
    for (unsigned from = order; from <= kMaxOrder; ++from) {
        FreeList& list = lists_[from];
        // A hint that saves the lock: a block that is freed meanwhile is found by the next caller.
        if (list.count.load(std::memory_order_relaxed) == 0) continue;
        Frame* block = nullptr;
        {
            smp::SpinIrqGuard guard{list.lock};
            block = list.blocks.pop_front();
            if (block == nullptr) continue;
            list.count.store(list.count.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
            block->state.store(FrameState::Allocated, std::memory_order_relaxed);
        }
        // Split: the upper halves go back, each under its own order's lock. The block is ours, so nobody merges with
        // them before they are in their list.
        u64 const index = static_cast<u64>(block - frames_.data());
        for (unsigned at = from; at > order; --at) {
            Frame& upper = frames_[index + (u64{1} << (at - 1))];
            FreeList& lower = lists_[at - 1];
            smp::SpinIrqGuard guard{lower.lock};
            upper.state.store(free_of(at - 1), std::memory_order_relaxed);
            lower.blocks.push_front(upper);
            lower.count.store(lower.count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        }
        block->order = static_cast<u8>(order);
        block->references.store(1, std::memory_order_relaxed);
        return block;
    }
    return nullptr;
}

void Buddy::free(Frame& block) {
    ASSERT(block.state.load(std::memory_order_relaxed) == FrameState::Allocated, "frame freed twice");
    ASSERT(block.references.load(std::memory_order_relaxed) == 0);
    block.owner_tag = 0;
    release(static_cast<u64>(&block - frames_.data()), block.order);
}

void Buddy::release(u64 index, unsigned order) {
    for (;; ++order) {
        FreeList& list = lists_[order];
        smp::SpinIrqGuard guard{list.lock};
        u64 const buddy_index = index ^ (u64{1} << order);
        Frame* const buddy = order < kMaxOrder && buddy_index < frames_.size() ? &frames_[buddy_index] : nullptr;
        // Read under this order's lock: it is in this list, and stays there.
        bool const merge = buddy != nullptr && buddy->state.load(std::memory_order_relaxed) == free_of(order);
        if (!merge) {
            Frame& block = frames_[index];
            block.state.store(free_of(order), std::memory_order_relaxed);
            list.blocks.push_front(block);
            list.count.store(list.count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
            return;
        }
        list.blocks.remove(*buddy);
        list.count.store(list.count.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
        frames_[std::max(index, buddy_index)].state.store(FrameState::Tail, std::memory_order_relaxed);
        index = std::min(index, buddy_index);
        // Not in any list while it moves up: marked so that a buddy's free does not merge with it.
        frames_[index].state.store(FrameState::Allocated, std::memory_order_relaxed);
    }
}

u64 Buddy::free_frames() const {
    u64 total = 0;
    for (unsigned order = 0; order <= kMaxOrder; ++order)
        total += lists_[order].count.load(std::memory_order_relaxed) << order;
    return total;
}

}  // namespace tutti::mem
