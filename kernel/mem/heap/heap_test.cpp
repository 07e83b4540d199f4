// SPDX-License-Identifier: BSD-3-Clause
#include <cstring>
#include <memory>

#include "harness/test.hpp"
#include "mem/frame/frame_allocator.hpp"
#include "mem/heap/heap.hpp"

namespace tutti::mem {
namespace {

TEST(heap, sizes_and_alignments) {
    u64 const before = heap_statistics().bytes_in_use;
    for (size_t size : {0u, 1u, 16u, 17u, 100u, 511u, 1000u, 2049u, 4096u, 4097u, 70000u, 1000000u})
        for (size_t alignment : {16u, 32u, 64u, 256u, 4096u}) {
            void* const memory = heap_allocate(size, alignment);
            REQUIRE(memory != nullptr);
            EXPECT_EQ(reinterpret_cast<u64>(memory) % alignment, u64{0});
            std::memset(memory, 0xa5, size);
            heap_free(memory);
        }
    // Less when an ended thread of an earlier case was freed meanwhile.
    EXPECT(heap_statistics().bytes_in_use <= before);
    heap_free(nullptr);
}

TEST(heap, reallocate_keeps_contents) {
    auto* memory = static_cast<u8*>(heap_allocate(10));
    REQUIRE(memory != nullptr);
    for (u8 i = 0; i < 10; ++i) memory[i] = i;
    memory = static_cast<u8*>(heap_reallocate(memory, 5000));
    REQUIRE(memory != nullptr);
    for (u8 i = 0; i < 10; ++i) EXPECT_EQ(memory[i], i);
    heap_free(memory);
}

TEST(heap, too_large_is_null) { EXPECT(heap_allocate(size_t{1} << 40) == nullptr); }

// Objects travel: allocated on one CPU, freed on another, contents checked on the way.
TEST_ALL_CPUS(heap, storm_with_remote_frees) {
    struct Object {
        u64 size;
        u64 mark;
    };
    constexpr size_t kSlots = 256;
    static std::atomic<Object*> slots[kSlots];
    SplitMix64 random = harness::random(cpu.value());
    for (int step = 0; step < 8000; ++step) {
        Object* object = nullptr;
        if (random.below(2) == 0) {
            u64 const size = sizeof(Object) + random.below(random.below(16) == 0 ? 9000 : 300);
            object = static_cast<Object*>(heap_allocate(size));
            if (object != nullptr) *object = {size, reinterpret_cast<u64>(object) ^ size};
        }
        // acq_rel: hands the object's contents over with the pointer.
        Object* const old = slots[random.below(kSlots)].exchange(object, std::memory_order_acq_rel);
        if (old == nullptr) continue;
        if (!EXPECT_EQ(old->mark, reinterpret_cast<u64>(old) ^ old->size)) return;
        heap_free(old);
    }
    harness::meet();
    for (size_t i = cpu.value(); i < kSlots; i += cpus) heap_free(slots[i].exchange(nullptr, std::memory_order_acq_rel));
}

}  // namespace
}  // namespace tutti::mem
