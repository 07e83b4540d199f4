// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/net/packet_buffer.hpp"

#include <algorithm>
#include <bit>

#include "mem/frame/frame_allocator.hpp"

namespace tutti::drivers {

void PacketBuffer::put() {
    // release: our accesses come before the next user's; pairs with the acquire of whoever puts the last.
    if (references_.fetch_sub(1, std::memory_order_release) != 1) return;
    (void)references_.load(std::memory_order_acquire);
    (void)pool_->free_.push(*this);
}

Result<std::unique_ptr<PacketPool>> PacketPool::create(size_t count, size_t capacity) {
    constexpr size_t kMaxCapacity = 128 << 10;
    if (capacity == 0 || capacity > kMaxCapacity || count == 0) return fail(Error::InvalidArgument);
    std::unique_ptr<PacketPool> pool{new (std::nothrow) PacketPool};
    if (pool == nullptr) return fail(Error::NoMemory);
    pool->capacity_ = std::bit_ceil(capacity);
    pool->buffers_.reset(new (std::nothrow) PacketBuffer[count]);
    if (pool->buffers_ == nullptr) return fail(Error::NoMemory);
    size_t const block = std::max<size_t>(pool->capacity_, kPageSize);
    unsigned const order = static_cast<unsigned>(std::countr_zero(block)) - kPageShift;
    for (size_t made = 0; made < count;) {
        mem::FrameRef frames = TRY(mem::allocate_frames(order));
        u8* const memory = frames.data<u8>();
        TRY(pool->memory_.try_push_back(std::move(frames)));
        for (size_t at = 0; at < block && made < count; at += pool->capacity_, ++made) {
            PacketBuffer& buffer = pool->buffers_[made];
            buffer.memory_ = memory + at;
            buffer.capacity_ = static_cast<u32>(pool->capacity_);
            buffer.pool_ = pool.get();
            (void)pool->free_.push(buffer);
            ++pool->count_;
        }
    }
    return pool;
}

PacketPool::~PacketPool() {
    size_t back = 0;
    {
        FreeStack::Popper popper{free_};
        while (popper.pop() != nullptr) ++back;
    }
    CHECK(back == count_, "a packet pool ends with {} of {} buffers in use", count_ - back, count_);
}

Result<Ref<PacketBuffer>> PacketPool::take() {
    FreeStack::Popper popper{free_};
    PacketBuffer* const buffer = popper.pop();
    if (buffer == nullptr) return fail(Error::NoBufferSpace);
    buffer->references_.store(1, std::memory_order_relaxed);  // nobody else knows it
    buffer->size_ = 0;
    return Ref<PacketBuffer>::adopt(buffer);
}

}  // namespace tutti::drivers
