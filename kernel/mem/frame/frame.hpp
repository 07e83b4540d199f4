// SPDX-License-Identifier: BSD-3-Clause
// The descriptor of one 4 KiB frame of RAM, and the owning reference to a frame.
//
// A block of 2^order frames is described by its first frame. The reference count belongs to the holder: whoever maps or
// uses a frame holds a reference, and the last put() frees the block, so no CPU frees what another still uses.
#pragma once

#include <atomic>
#include <utility>

#include "base/assert.hpp"
#include "base/intrusive_list.hpp"
#include "base/types.hpp"

namespace tutti::mem {

enum class FrameState : u8 {
    Reserved,   // not RAM, or never handed to the allocator: image, initrd, descriptors
    Tail,       // inside a larger block
    Allocated,  // first frame of an allocated block; may rest in a per-CPU cache
    FirstFree,  // and above: first frame of a free block, in the buddy's list of order (state - FirstFree)
};

// One word tells both that a block is free and in which list: it becomes and ceases to be free_of(k) under list k's lock
// only, so whoever holds that lock may take it out of the list.
[[nodiscard]] constexpr FrameState free_of(unsigned order) {
    return static_cast<FrameState>(static_cast<unsigned>(FrameState::FirstFree) + order);
}

struct Frame {
    std::atomic<u32> references{0};
    u8 order = 0;  // of the allocated block that this frame starts; its owner's
    std::atomic<FrameState> state{FrameState::Reserved};
    u16 owner_tag = 0;                                     // the owner's: heap size class + 1, page-table page, ...
    ListNode node;                                         // buddy list while free; the owner's while allocated
    u64 owner_word = 0;                                    // the owner's

    // Returns to the allocator when the last reference goes. Callable from any context up to Isr.
    void get() {
        // relaxed: the caller holds a reference, so the frame cannot go away meanwhile.
        [[maybe_unused]] u32 const before = references.fetch_add(1, std::memory_order_relaxed);
        ASSERT(before != 0, "reference taken to a free frame");
    }
    void put();
    [[nodiscard]] PhysAddr address() const;
    // The block's bytes through the direct map.
    [[nodiscard]] void* data() const;
};
static_assert(sizeof(Frame) <= 40);

// An owned reference to an allocated frame (block).
class FrameRef {
  public:
    constexpr FrameRef() = default;
    // Takes over a reference that the caller owns.
    [[nodiscard]] static FrameRef adopt(Frame& frame) {
        FrameRef ref;
        ref.frame_ = &frame;
        return ref;
    }
    // Takes a further reference.
    [[nodiscard]] static FrameRef share(Frame& frame) {
        frame.get();
        return adopt(frame);
    }
    FrameRef(FrameRef const& other) : frame_{other.frame_} {
        if (frame_ != nullptr) frame_->get();
    }
    FrameRef(FrameRef&& other) noexcept : frame_{std::exchange(other.frame_, nullptr)} {}
    FrameRef& operator=(FrameRef other) noexcept {
        std::swap(frame_, other.frame_);
        return *this;
    }
    ~FrameRef() {
        if (frame_ != nullptr) frame_->put();
    }

    // Gives the reference up; the caller puts it later.
    [[nodiscard]] Frame* leak() { return std::exchange(frame_, nullptr); }
    [[nodiscard]] Frame* get() const { return frame_; }
    Frame* operator->() const { return frame_; }
    Frame& operator*() const { return *frame_; }
    explicit operator bool() const { return frame_ != nullptr; }
    template <class T = void>
    [[nodiscard]] T* data() const { return static_cast<T*>(frame_->data()); }

  private:
    Frame* frame_ = nullptr;
};

// The descriptor of a RAM address; null outside RAM.
[[nodiscard]] Frame* frame_at(PhysAddr address);
// The same for a direct-map pointer.
[[nodiscard]] Frame* frame_of(void const* pointer);

}  // namespace tutti::mem
