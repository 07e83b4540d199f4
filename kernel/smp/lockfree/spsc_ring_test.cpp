// SPDX-License-Identifier: BSD-3-Clause
#include "smp/lockfree/spsc_ring.hpp"

#include "base/ref.hpp"
#include "harness/test.hpp"
#include "sched/thread.hpp"

namespace tutti::smp {
namespace {

TEST(spsc_ring, creation) {
    EXPECT_ERROR(SpscRing<u64>::create(0), Error::InvalidArgument);
    EXPECT_ERROR(SpscRing<u64>::create(~size_t{0}), Error::NoMemory);
    EXPECT_ERROR(SpscRing<u64>::create(size_t{1} << 45), Error::NoMemory);
    auto ring = SpscRing<u64>::create(5);
    REQUIRE(ring.has_value());
    EXPECT_EQ(ring->capacity(), size_t{8});
}

TEST_P(spsc_ring, fills_and_empties, harness::values(1, 2, 64)) {
    auto ring = SpscRing<u64>::create(static_cast<size_t>(parameter));
    REQUIRE(ring.has_value());
    for (u64 turn = 0; turn < 5; ++turn) {
        for (u64 i = 0; i < ring->capacity(); ++i) EXPECT(ring->push(turn * 1000 + i));
        EXPECT(!ring->push(u64{9}));
        EXPECT_EQ(ring->size(), ring->capacity());
        for (u64 i = 0; i < ring->capacity(); ++i) EXPECT_EQ(ring->pop().value_or(~u64{0}), turn * 1000 + i);
        EXPECT(!ring->pop().has_value());
    }
}

struct Owned : RefCounted<Owned> {
    static inline std::atomic<u32> alive{0};
    Owned() { alive.fetch_add(1); }
    ~Owned() { alive.fetch_sub(1); }
};

// What is refused stays the caller's; what is left is destroyed with the ring.
TEST(spsc_ring, owns_what_is_in_it) {
    {
        auto ring = SpscRing<Ref<Owned>>::create(2);
        REQUIRE(ring.has_value());
        for (int i = 0; i < 2; ++i) {
            auto object = make_ref<Owned>();
            REQUIRE(object.has_value());
            EXPECT(ring->push(std::move(*object)));
        }
        auto third = make_ref<Owned>();
        REQUIRE(third.has_value());
        EXPECT(!ring->push(std::move(*third)));
        EXPECT(bool{*third});
        (void)ring->pop();
        EXPECT_EQ(Owned::alive.load(), 2u);
    }
    EXPECT_EQ(Owned::alive.load(), 0u);
}

// In order, nothing lost, nothing twice; each side waits for the other at random.
TEST_ALL_CPUS(spsc_ring, keeps_order_between_cpus, .min_cpus = 2) {
    constexpr u64 kCount = 3000;
    static SpscRing<u64>* ring;
    if (cpu.value() == 0) {
        auto made = SpscRing<u64>::create(64);
        CHECK(made);
        ring = new (std::nothrow) SpscRing<u64>(std::move(*made));
        CHECK(ring != nullptr);
    }
    harness::meet();
    SplitMix64 random = harness::random(cpu.value());
    if (cpu.value() == 0) {
        for (u64 i = 0; i < kCount; ++i) {
            while (!ring->push(i * 3)) sched::yield();
            if (random.below(200) == 0) sched::yield();
        }
    } else if (cpu.value() == 1) {
        for (u64 i = 0; i < kCount; ++i) {
            auto value = ring->pop();
            while (!value) {
                sched::yield();
                value = ring->pop();
            }
            if (!EXPECT_EQ(*value, i * 3)) break;
        }
        EXPECT(!ring->pop().has_value());
    }
    harness::meet();
    if (cpu.value() == 0) delete ring;
}

}  // namespace
}  // namespace tutti::smp
