// SPDX-License-Identifier: BSD-3-Clause
// The kernel's own code may use vector registers here, and may lose the CPU between any two instructions of it.
#include "arch/held_register.hpp"
#include "hal/clock.hpp"
#include "harness/test.hpp"
#include "sched/thread.hpp"

namespace tutti::arch {
namespace {

TEST(hosted, interrupts_keep_the_kernels_vector_registers) {
    struct Holder {
        u64 pattern = 0;
        u64 seen = 0;
    } holders[2]{{.pattern = 0x1111'2222'3333'4444}, {.pattern = 0x5555'6666'7777'8888}};
    Result<smp::CpuSet> set = smp::CpuSet::create(smp::cpu_count());
    REQUIRE(set.has_value());
    set->add(CpuId{0});
    Ref<sched::Thread> threads[2];
    for (u32 i = 0; i < 2; ++i) {
        auto thread = sched::Thread::create(
            {.name = "holder", .affinity = &*set},
            [](void* argument) {
                auto& self = *static_cast<Holder*>(argument);
                Deadline const end = hal::now() + Nanoseconds::from_ms(100);
                do self.seen = hold_in_register(self.pattern, 1'000'000);
                while (self.seen == self.pattern && hal::now() < end);
            },
            &holders[i]);
        REQUIRE(thread.has_value());
        threads[i] = std::move(*thread);
    }
    for (auto& thread : threads) thread->start();
    for (u32 i = 0; i < 2; ++i) {
        EXPECT(threads[i]->join().has_value());
        EXPECT_EQ(holders[i].seen, holders[i].pattern);
    }
    EXPECT(threads[0]->involuntary_switches() + threads[1]->involuntary_switches() != 0);
}

}  // namespace
}  // namespace tutti::arch
