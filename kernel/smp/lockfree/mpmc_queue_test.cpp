// SPDX-License-Identifier: BSD-3-Clause
#include "smp/lockfree/mpmc_queue.hpp"

#include <memory>

#include "base/ref.hpp"
#include "harness/test.hpp"
#include "sched/thread.hpp"

namespace tutti::smp {
namespace {

TEST(mpmc_queue, creation) {
    EXPECT_ERROR(MpmcQueue<u64>::create(0), Error::InvalidArgument);
    EXPECT_ERROR(MpmcQueue<u64>::create(~size_t{0}), Error::NoMemory);
    auto queue = MpmcQueue<u64>::create(1);
    REQUIRE(queue.has_value());
    EXPECT_EQ(queue->capacity(), size_t{2});
}

TEST_P(mpmc_queue, fills_and_empties, harness::values(2, 4, 64)) {
    auto queue = MpmcQueue<u64>::create(static_cast<size_t>(parameter));
    REQUIRE(queue.has_value());
    for (u64 turn = 0; turn < 5; ++turn) {
        for (u64 i = 0; i < queue->capacity(); ++i) EXPECT(queue->push(turn * 1000 + i));
        EXPECT(!queue->push(u64{9}));
        EXPECT_EQ(queue->size(), queue->capacity());
        for (u64 i = 0; i < queue->capacity(); ++i) EXPECT_EQ(queue->pop().value_or(~u64{0}), turn * 1000 + i);
        EXPECT(!queue->pop().has_value());
    }
}

struct Counted : RefCounted<Counted> {
    static inline std::atomic<u32> alive{0};
    Counted() { alive.fetch_add(1); }
    ~Counted() { alive.fetch_sub(1); }
};

TEST(mpmc_queue, owns_what_is_in_it) {
    {
        auto queue = MpmcQueue<Ref<Counted>>::create(4);
        REQUIRE(queue.has_value());
        for (int i = 0; i < 3; ++i) {
            auto object = make_ref<Counted>();
            REQUIRE(object.has_value());
            EXPECT(queue->push(std::move(*object)));
        }
        (void)queue->pop();
        EXPECT_EQ(Counted::alive.load(), 2u);
    }
    EXPECT_EQ(Counted::alive.load(), 0u);
}

// Every CPU produces and consumes at random. Each element comes out once, and those of one producer in their order as
// seen by one consumer.
TEST_ALL_CPUS(mpmc_queue, loses_and_doubles_nothing) {
    constexpr u64 kEach = 4000;
    static MpmcQueue<u64>* queue;
    static std::atomic<u8>* seen;
    static std::atomic<u64> left;
    static std::atomic<u32> bad;
    if (cpu.value() == 0) {
        auto made = MpmcQueue<u64>::create(8);
        CHECK(made);
        queue = new (std::nothrow) MpmcQueue<u64>(std::move(*made));
        seen = new (std::nothrow) std::atomic<u8>[kEach * cpus]{};
        CHECK(queue != nullptr && seen != nullptr);
        left.store(kEach * cpus);
        bad.store(0);
    }
    harness::meet();
    SplitMix64 random = harness::random(cpu.value());
    std::unique_ptr<u64[]> const last{new (std::nothrow) u64[cpus]{}};
    CHECK(last != nullptr);
    u64 produced = 0;
    while (left.load(std::memory_order_relaxed) != 0) {
        bool idle = true;
        if (produced < kEach && random.below(2) == 0) {
            if (queue->push(cpu.value() * kEach + produced)) {
                ++produced;
                idle = false;
            }
        } else if (auto const value = queue->pop()) {
            idle = false;
            u64 const producer = *value / kEach;
            u64 const number = *value % kEach + 1;
            if (producer >= cpus || number <= last[producer] || seen[*value].exchange(1) != 0) bad.fetch_add(1);
            if (producer < cpus) last[producer] = number;
            left.fetch_sub(1);
        }
        if (idle && random.below(8) == 0) sched::yield();
    }
    harness::meet();
    if (cpu.value() != 0) return;
    EXPECT_EQ(bad.load(), 0u);
    EXPECT(!queue->pop().has_value());
    delete queue;
    delete[] seen;
}

}  // namespace
}  // namespace tutti::smp
