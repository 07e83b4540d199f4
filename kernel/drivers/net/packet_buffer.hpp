// SPDX-License-Identifier: BSD-3-Clause
// The memory of one frame, counted: everybody who uses it holds a reference, and with the last one it goes back to its pool.
//
//   PacketPool   take() by one at a time, the owner of a queue say; the last reference may go on any CPU, up to Isr
//
// Who fills or changes the bytes is alone with them or has agreed with the others: counting says when the memory is free,
// not who may write. A device that transmits reads them until it hands its reference back (NetQueue::take_sent).
#pragma once

#include <memory>

#include "base/compiler.hpp"
#include "base/ref.hpp"
#include "base/vector.hpp"
#include "mem/frame/frame.hpp"
#include "smp/lockfree/stack.hpp"

namespace tutti::drivers {

class PacketPool;

class PacketBuffer {
  public:
    PacketBuffer(PacketBuffer const&) = delete;
    PacketBuffer& operator=(PacketBuffer const&) = delete;

    // For Ref<PacketBuffer>.
    ISR_SAFE void get() {
        // relaxed: the caller holds a reference.
        [[maybe_unused]] u32 const before = references_.fetch_add(1, std::memory_order_relaxed);
        ASSERT(before != 0, "reference taken to a free packet buffer");
    }
    ISR_SAFE void put();

    // The frame, from the Ethernet header on, without its check sequence.
    [[nodiscard]] std::span<u8> bytes() const { return {memory_, size_}; }
    void set_size(size_t size) {
        ASSERT(size <= capacity_);
        size_ = static_cast<u32>(size);
    }
    [[nodiscard]] std::span<u8> memory() const { return {memory_, capacity_}; }

  private:
    friend class PacketPool;
    PacketBuffer() = default;

    u8* memory_ = nullptr;  // in the direct map, physically contiguous
    u32 capacity_ = 0;
    u32 size_ = 0;
    std::atomic<u32> references_{0};
    PacketPool* pool_ = nullptr;
    smp::StackNode<PacketBuffer> free_node_;
};

class PacketPool {
  public:
    // `count` buffers of at least `capacity` bytes. Error::NoMemory; InvalidArgument for a capacity beyond 128 KiB, or 0.
    [[nodiscard]] static Result<std::unique_ptr<PacketPool>> create(size_t count, size_t capacity);
    // All buffers are back.
    ~PacketPool();

    // An empty buffer. Error::NoBufferSpace: all are in use. One caller at a time (checked); up to Isr context.
    [[nodiscard]] ISR_SAFE Result<Ref<PacketBuffer>> take();
    [[nodiscard]] size_t capacity() const { return capacity_; }

  private:
    friend class PacketBuffer;
    using FreeStack = smp::LockFreeStack<PacketBuffer, &PacketBuffer::free_node_>;

    PacketPool() = default;

    size_t capacity_ = 0;
    size_t count_ = 0;
    std::unique_ptr<PacketBuffer[]> buffers_;
    Vector<mem::FrameRef> memory_;
    alignas(kCacheLine) FreeStack free_;
};

}  // namespace tutti::drivers
