// SPDX-License-Identifier: BSD-3-Clause
// Pages of one file are inserted and removed on all CPUs while the tree grows.
#include "harness/test.hpp"
#include "mem/frame/frame_allocator.hpp"
#include "smp/debug/race_point.hpp"
#include "vfs/ramfs/page_store.hpp"

namespace tutti::vfs {
namespace {

constexpr u64 kPages = 11;  // present at first; one level of nodes holds them
constexpr u64 kRemoved = 5;

}  // namespace

TEST_ALL_CPUS(page_store, grows_while_pages_are_removed) {
    static PageStore* store;
    static mem::FrameRef frames[kPages];
    if (cpu.value() == 0)
        for (mem::FrameRef& frame : frames) {
            if (auto allocated = mem::allocate_frame()) frame = std::move(*allocated);
            REQUIRE(frame.get() != nullptr);
        }
    smp::RaceAmplifier const amplifier{3000};
    for (u32 round = 0; round < 20; ++round) {
        if (cpu.value() == 0) {
            store = new (std::nothrow) PageStore;
            REQUIRE(store != nullptr);
            for (u64 page = 0; page < kPages; ++page) EXPECT(store->insert(page, frames[page]).has_value());
        }
        harness::meet();
        if (cpu.value() == 0)
            EXPECT_EQ(store->remove(0, kRemoved), kRemoved);
        else if (cpu.value() == 1)
            EXPECT(store->insert(round % 2 == 0 ? 80 : 5000, frames[0]).has_value());
        harness::meet();
        if (cpu.value() == 0) {
            for (u64 page = 0; page < kPages; ++page)
                EXPECT(store->find(page).get() == (page < kRemoved ? nullptr : frames[page].get()));
            delete store;
        }
    }
    harness::meet();
    if (cpu.value() == 0)
        for (mem::FrameRef& frame : frames) {
            EXPECT_EQ(frame.get()->references.load(std::memory_order_relaxed), u32{1});
            frame = {};
        }
}

}  // namespace tutti::vfs
