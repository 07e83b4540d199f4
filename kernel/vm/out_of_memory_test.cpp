// SPDX-License-Identifier: BSD-3-Clause
// As sched/out_of_memory_test.cpp, for what needs page tables.
#include "base/vector.hpp"
#include "harness/test.hpp"
#include "mem/allocation_fault.hpp"
#include "mem/frame/frame_allocator.hpp"
#include "mem/paging/page_table.hpp"
#include "mem/stack/kernel_stack.hpp"
#include "sched/thread.hpp"

namespace tutti::vm {
namespace {

void const* who() { return sched::current_or_null(); }

// New stacks, not those of threads that have ended.
TEST(out_of_memory, kernel_stack) {
    if (!kDebugBuild) SKIP("allocations fail on demand in debug builds only");
    Vector<mem::KernelStack> used;
    while (true) {
        u64 const free = mem::frame_statistics().free;
        auto stack = mem::KernelStack::create();
        REQUIRE(stack.has_value() && used.try_push_back(std::move(*stack)).has_value());
        if (mem::frame_statistics().free + 4 <= free) break;
    }
    REQUIRE(used.try_reserve(used.size() + 8).has_value());
    for (u32 n = 1;; ++n) {
        REQUIRE(n < 100);
        u64 const free = mem::frame_statistics().free;
        bool happened = false;
        Result<mem::KernelStack> stack = fail(Error::NotFound);
        {
            mem::AllocationFault const fault{n, &who};
            stack = mem::KernelStack::create();
            happened = fault.happened();
        }
        EXPECT_EQ(stack.has_value(), !happened);
        if (happened) {
            EXPECT_EQ(stack.error(), Error::NoMemory);
            // A page table may stay for the stacks to come.
            EXPECT(mem::frame_statistics().free + 1 >= free);
            continue;
        }
        if (mem::frame_statistics().free + 4 > free) {  // the one of a thread whose end came just now
            REQUIRE(used.try_push_back(std::move(*stack)).has_value());
            --n;
            continue;
        }
        EXPECT(n > arch::kKernelStackSize / kPageSize);
        return;
    }
}

TEST(out_of_memory, page_table) {
    if (!kDebugBuild) SKIP("allocations fail on demand in debug builds only");
    u32 n = 1;
    for (bool happened = true; happened; ++n) {
        REQUIRE(n < 100);
        u64 const free = mem::frame_statistics().free;
        {
            mem::AllocationFault const fault{n, &who};
            auto table = mem::PageTable::create();
            bool const succeeded = table.has_value() && table->slot(VirtAddr{u64{0x10000000}}).has_value();
            happened = fault.happened();
            EXPECT_EQ(succeeded, !happened);
            if (table) table->destroy();
        }
        EXPECT(mem::frame_statistics().free >= free);
    }
    EXPECT(n > 4);
}

}  // namespace
}  // namespace tutti::vm
