// SPDX-License-Identifier: BSD-3-Clause
// The kernel's own code may use vector registers here, and may lose the CPU between any two instructions of it: it goes on
// with its own registers, perhaps on another CPU, whose area it has then.
#include <sys/syscall.h>

#include <atomic>

#include "arch/held_register.hpp"
#include "arch/host_call.hpp"
#include "arch/percpu.hpp"
#include "hal/clock.hpp"
#include "hal/interrupts.hpp"
#include "harness/test.hpp"
#include "sched/thread.hpp"
#include "sched/timers/sleep.hpp"
#include "smp/context/context.hpp"
#include "smp/ipi/call.hpp"

namespace tutti::arch {
namespace {

TUTTI_PERCPU u64 host_thread = 0;

TEST(hosted, interrupts_keep_the_kernels_vector_registers) {
    static std::atomic<u32> ready;
    ready.store(0);
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
                ready.fetch_add(1);
                while (ready.load() != 2) sched::yield();
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

// Threads that are interrupted all the time, also on the way back from an interrupt, and go on on other CPUs: each CPU stays
// its host thread.
TEST(hosted, interrupts_keep_cpus_apart) {
    if (smp::cpu_count() == 1) return harness::skip("two CPUs are needed");
    smp::call_on_all([](void*) ISR_SAFE_LAMBDA { percpu_store(host_thread, static_cast<u64>(host_call(SYS_gettid))); }, nullptr);
    constexpr u32 kThreads = 6;
    static std::atomic<u32> wrong;
    wrong.store(0);
    Ref<sched::Thread> threads[kThreads];
    for (u32 i = 0; i < kThreads; ++i) {
        auto thread = sched::Thread::create(
            {.name = "runner"},
            [](void*) {
                Deadline const end = hal::now() + Nanoseconds::from_ms(500);
                for (u32 turn = 0; hal::now() < end; ++turn) {
                    for (u32 cpu = 0; cpu < smp::cpu_count(); ++cpu) hal::send_ipi(CpuId{cpu}, hal::IpiKind::Reschedule);
                    {
                        smp::IrqOffGuard const off;
                        if (static_cast<u64>(host_call(SYS_gettid)) != percpu_load(host_thread)) wrong.fetch_add(1);
                    }
                    if (turn % 8 == 0) (void)sched::sleep_for(Nanoseconds::from_us(20));
                }
            },
            nullptr);
        REQUIRE(thread.has_value());
        threads[i] = std::move(*thread);
    }
    for (auto& thread : threads) thread->start();
    for (auto& thread : threads) EXPECT(thread->join().has_value());
    EXPECT_EQ(wrong.load(), 0u);
}

}  // namespace
}  // namespace tutti::arch
