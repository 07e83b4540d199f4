// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/net/packet_buffer.hpp"

#include <algorithm>

#include "harness/test.hpp"
#include "sched/thread.hpp"
#include "smp/lockfree/mpmc_queue.hpp"

namespace tutti::drivers {
namespace {

TEST_P(packet_pool, lends_each_buffer_once, harness::values(1, 60, 1500, 9000)) {
    constexpr size_t kCount = 7;
    auto pool = PacketPool::create(kCount, static_cast<size_t>(parameter));
    REQUIRE(pool.has_value());
    EXPECT((*pool)->capacity() >= static_cast<size_t>(parameter));
    Ref<PacketBuffer> buffers[kCount];
    for (size_t i = 0; i < kCount; ++i) {
        auto buffer = (*pool)->take();
        REQUIRE(buffer.has_value());
        buffers[i] = std::move(*buffer);
        EXPECT_EQ(buffers[i]->bytes().size(), size_t{0});
        std::ranges::fill(buffers[i]->memory(), static_cast<u8>(i));
    }
    EXPECT_ERROR((*pool)->take(), Error::NoBufferSpace);
    for (size_t i = 0; i < kCount; ++i)
        EXPECT(std::ranges::all_of(buffers[i]->memory(), [&](u8 byte) { return byte == i; }));
    PacketBuffer const* const given_back = buffers[3].get();
    buffers[3]->set_size(1);
    buffers[3].reset();
    auto again = (*pool)->take();
    REQUIRE(again.has_value());
    EXPECT(again->get() == given_back);
    EXPECT_EQ((*again)->bytes().size(), size_t{0});
}

TEST(packet_pool, takes_a_buffer_back_with_its_last_reference) {
    auto pool = PacketPool::create(1, 100);
    REQUIRE(pool.has_value());
    auto first = (*pool)->take();
    REQUIRE(first.has_value());
    Ref<PacketBuffer> second = *first;
    first->reset();
    EXPECT_ERROR((*pool)->take(), Error::NoBufferSpace);
    second.reset();
    EXPECT((*pool)->take().has_value());
}

TEST(packet_pool, refuses_what_it_cannot_make) {
    EXPECT_ERROR(PacketPool::create(0, 100), Error::InvalidArgument);
    EXPECT_ERROR(PacketPool::create(1, 0), Error::InvalidArgument);
    EXPECT_ERROR(PacketPool::create(1, (128 << 10) + 1), Error::InvalidArgument);
}

TEST_DEATH(packet_pool, ends_after_its_buffers, "1 of 2 buffers in use") {
    auto pool = PacketPool::create(2, 100);
    REQUIRE(pool.has_value());
    auto buffer = (*pool)->take();
    REQUIRE(buffer.has_value());
    pool->reset();
}

// One CPU takes and fills, all others look and give back.
TEST_ALL_CPUS(packet_pool, takes_buffers_back_from_everywhere, .min_cpus = 2) {
    constexpr size_t kCount = 16;
    static constinit PacketPool* pool = nullptr;
    static constinit smp::MpmcQueue<Ref<PacketBuffer>>* queue = nullptr;
    static constinit std::atomic<bool> over{false};
    if (cpu.value() == 0) {
        auto made_pool = PacketPool::create(kCount, 64);
        auto made_queue = smp::MpmcQueue<Ref<PacketBuffer>>::create(kCount);
        CHECK(made_pool && made_queue);
        pool = made_pool->release();
        queue = new (std::nothrow) smp::MpmcQueue<Ref<PacketBuffer>>(std::move(*made_queue));
        CHECK(queue != nullptr);
        over.store(false, std::memory_order_relaxed);
    }
    harness::meet();
    if (cpu.value() == 0) {
        for (u32 i = 0; i < harness::rounds_each(20'000, cpus);) {
            auto buffer = pool->take();
            if (!buffer) {
                sched::yield();
                continue;
            }
            std::ranges::fill((*buffer)->memory(), static_cast<u8>(++i));
            (*buffer)->set_size(static_cast<u8>(i) % 64 + 1);
            while (!queue->push(std::move(*buffer))) sched::yield();
        }
        over.store(true, std::memory_order_release);
    } else {
        for (;;) {
            bool const last = over.load(std::memory_order_acquire);
            auto buffer = queue->pop();
            if (buffer) {
                u8 const filled = (*buffer)->memory()[0];
                EXPECT_EQ((*buffer)->bytes().size(), size_t{filled % 64u + 1});
                EXPECT(std::ranges::all_of((*buffer)->memory(), [&](u8 byte) { return byte == filled; }));
            } else if (last) {
                break;
            } else {
                sched::yield();
            }
        }
    }
    harness::meet();
    if (cpu.value() == 0) {
        delete queue;
        delete pool;  // checks that all are back
    }
}

}  // namespace
}  // namespace tutti::drivers
