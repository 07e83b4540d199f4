// SPDX-License-Identifier: BSD-3-Clause
#include "smp/lockfree/seqlock.hpp"

#include "harness/test.hpp"
#include "sched/thread.hpp"
#include "smp/context/context.hpp"

namespace tutti::smp {
namespace {

struct Triple {
    u64 a = 0;
    u64 b = 0;
    u32 c = 0;
};

TEST(seqlock, keeps_the_last_value) {
    SeqLocked<Triple> value{Triple{1, 2, 3}};
    EXPECT_EQ(value.load().b, u64{2});
    value.store(Triple{4, 5, 6});
    auto const seen = value.try_load();
    REQUIRE(seen.has_value());
    EXPECT_EQ(seen->a, u64{4});
    EXPECT_EQ(seen->c, 6u);
}

// One CPU writes, all others read: never a mixture, never backwards.
TEST_ALL_CPUS(seqlock, readers_see_whole_values) {
    constexpr u64 kWrites = 20000;
    // Constructed by one CPU: nothing guards the construction of a static that is not constant.
    static constinit SeqLocked<Triple>* shared = nullptr;
    static constinit std::atomic<bool> done{false};
    if (cpu.value() == 0) {
        done.store(false);
        shared = new (std::nothrow) SeqLocked<Triple>{Triple{}};
        CHECK(shared != nullptr);
    }
    harness::meet();
    if (cpu.value() == 0) {
        for (u64 i = 1; i <= kWrites; ++i) {
            PreemptGuard const alone;
            shared->store(Triple{i, i * 3, static_cast<u32>(i * 7)});
        }
        done.store(true);
    } else {
        u64 last = 0;
        u64 reads = 0;
        bool finished = false;
        while (!finished) {
            finished = done.load();
            Triple const seen = shared->load();
            ++reads;
            if (!EXPECT(seen.b == seen.a * 3 && seen.c == static_cast<u32>(seen.a * 7) && seen.a >= last)) break;
            last = seen.a;
            if (reads % 512 == 0) sched::yield();
        }
        EXPECT_EQ(last, kWrites);
    }
    harness::meet();
    if (cpu.value() == 0) delete shared;
}

}  // namespace
}  // namespace tutti::smp
