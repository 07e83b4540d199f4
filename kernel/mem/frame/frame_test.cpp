// SPDX-License-Identifier: BSD-3-Clause
#include "base/vector.hpp"
#include "harness/test.hpp"
#include "mem/frame/frame_allocator.hpp"

namespace tutti::mem {
namespace {

TEST(frame_allocator, returns_what_it_took) {
    u64 const before = frame_statistics().free;
    {
        FrameRef frames[20];
        for (FrameRef& frame : frames) {
            Result<FrameRef> fresh = allocate_frame();
            REQUIRE(fresh.has_value());
            frame = std::move(*fresh);
        }
        EXPECT(frame_statistics().free + 20 <= before + 1);
        for (size_t i = 0; i < std::size(frames); ++i)
            for (size_t j = 0; j < i; ++j) EXPECT(frames[i].get() != frames[j].get());
    }
    EXPECT_EQ(frame_statistics().free, before);
}

TEST(frame_allocator, zeroes_on_request) {
    for (int round = 0; round < 4; ++round) {
        Result<FrameRef> frame = allocate_frame(FrameFill::Zero);
        REQUIRE(frame.has_value());
        auto* const words = frame->data<u64>();
        for (size_t i = 0; i < kPageSize / sizeof(u64); ++i) REQUIRE_EQ(words[i], u64{0});
        for (size_t i = 0; i < kPageSize / sizeof(u64); ++i) words[i] = ~u64{0};
    }
}

TEST(frame_allocator, a_shared_frame_stays_until_the_last_reference) {
    u64 const before = frame_statistics().free;
    Result<FrameRef> first = allocate_frame();
    REQUIRE(first.has_value());
    FrameRef second = FrameRef::share(**first);
    *first = FrameRef{};
    EXPECT_EQ(second->references.load(std::memory_order_relaxed), 1u);
    EXPECT(frame_statistics().free < before);
    second = FrameRef{};
    EXPECT_EQ(frame_statistics().free, before);
}

TEST(frame_allocator, blocks_are_aligned_and_apart) {
    u64 const before = frame_statistics().free;
    {
        FrameRef blocks[8];
        for (unsigned order = 0; order < std::size(blocks); ++order) {
            Result<FrameRef> block = allocate_frames(order);
            REQUIRE(block.has_value());
            EXPECT_EQ((*block)->address().value() % (kPageSize << order), u64{0});
            blocks[order] = std::move(*block);
        }
    }
    EXPECT_EQ(frame_statistics().free, before);
    EXPECT_ERROR(allocate_frames(40), Error::NoMemory);
}

TEST(frame_allocator, exhaustion_is_an_error_and_heals) {
    u64 before = 0;
    // The heap keeps what the vector of the first round needed.
    for (int round = 0; round < 2; ++round) {
        before = frame_statistics().free;
        Vector<FrameRef> blocks;
        for (;;) {
            Result<FrameRef> block = allocate_frames(11);
            if (!block) {
                EXPECT_EQ(block.error(), Error::NoMemory);
                break;
            }
            REQUIRE(blocks.try_push_back(std::move(*block)).has_value());
        }
        EXPECT(blocks.size() > 0);
    }
    u64 const after = frame_statistics().free;
    if (!EXPECT(after + 2 >= before)) harness::note("{} free before, {} after", before, after);
}

TEST_ALL_CPUS(frame_allocator, storm_of_random_blocks) {
    SplitMix64 random = harness::random(cpu.value());
    constexpr size_t kSlots = 32;
    FrameRef slots[kSlots];
    for (int step = 0; step < 4000; ++step) {
        FrameRef& slot = slots[random.below(kSlots)];
        if (slot) {
            // Nobody else wrote into our block.
            auto const* const words = slot.data<u64>();
            if (!EXPECT_EQ(words[0], reinterpret_cast<u64>(&slot))) return;
            slot = FrameRef{};
        } else {
            Result<FrameRef> block = allocate_frames(static_cast<unsigned>(random.below(4)));
            if (!block) continue;
            slot = std::move(*block);
            *slot.data<u64>() = reinterpret_cast<u64>(&slot);
        }
    }
}

TEST(frame_allocator, injected_faults_are_errors) {
    if (!kDebugBuild) return;
    set_allocation_fault_period(3);
    u32 failures = 0;
    for (int i = 0; i < 30; ++i) failures += !allocate_frame().has_value();
    set_allocation_fault_period(0);
    EXPECT(failures > 0);
}

}  // namespace
}  // namespace tutti::mem
