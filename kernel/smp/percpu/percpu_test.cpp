// SPDX-License-Identifier: BSD-3-Clause
#include "smp/percpu/percpu.hpp"

#include "harness/test.hpp"
#include "hal/clock.hpp"
#include "sched/thread.hpp"
#include "sched/timers/timer.hpp"
#include "smp/ipi/call.hpp"

namespace tutti::smp {
namespace {

PERCPU_SECTION constinit PerCpu<u64> g_counter{u64{0}};
PERCPU_SECTION constinit PerCpu<u32> g_small{u32{7}};
PERCPU_SECTION constinit PerCpu<CachePadded<u32>> g_padded;
struct NotTrivial {
    u32 value = 3;
    ~NotTrivial() {}
};
PERCPU_SECTION constinit PerCpu<NotTrivial> g_object{std::in_place};

TEST_ALL_CPUS(percpu, each_cpu_has_its_copy) {
    PinGuard const pinned;
    EXPECT_EQ(g_small.load(), 7u);
    EXPECT_EQ(g_object.local(pinned).value, 3u);
    EXPECT_EQ(this_cpu(pinned), cpu);
    EXPECT_EQ(static_cast<void*>(&g_small.local(pinned)), static_cast<void*>(&g_small.on(cpu)));
    harness::meet();
    g_small.store(100 + cpu.value());
    harness::meet();
    for (u32 i = 0; i < cpus; ++i) EXPECT_EQ(g_small.on(CpuId{i}), 100 + i);
    harness::meet();
    g_small.store(7);
}

TEST(percpu, padded_copies_share_no_line) {
    PinGuard const pinned;
    auto const address = reinterpret_cast<uptr>(&g_padded.local(pinned));
    EXPECT_EQ(address % kCacheLine, 0u);
    EXPECT_EQ(sizeof(CachePadded<u32>) % kCacheLine, 0u);
}

// An addition that were a load, an add and a store would lose what a handler adds in between, and what is added after the
// thread has moved to another CPU.
TEST_ALL_CPUS(percpu, add_is_atomic_against_handlers_and_migration) {
    constexpr u32 kAdds = 20000;
    static constinit std::atomic<u64> from_handlers{0};
    static constinit std::atomic<bool> stop{false};
    if (cpu.value() == 0) {
        for_each_cpu([](CpuId each) { g_counter.on(each) = 0; });
        from_handlers.store(0, std::memory_order_relaxed);
        stop.store(false, std::memory_order_relaxed);
    }
    harness::meet();
    // A timer on each CPU that starts itself again at once, as often as the machine allows: where a handler takes longer
    // than the time to the next, the thread that it interrupts must get on too.
    struct Ticker {
        std::atomic<u32> adds{0};
        u32 adds_seen = ~u32{0};
        sched::Timer timer{[](void* argument) ISR_SAFE_LAMBDA {
                               auto& self = *static_cast<Ticker*>(argument);
                               g_counter.add(1);
                               from_handlers.fetch_add(1, std::memory_order_relaxed);
                               u32 const adds = self.adds.load(std::memory_order_relaxed);
                               i64 const pause = adds != self.adds_seen ? 20 : 1000;
                               self.adds_seen = adds;
                               if (!stop.load(std::memory_order_relaxed))
                                   self.timer.start(hal::now() + Nanoseconds::from_us(pause));
                           },
                           this};
    } ticker;
    ticker.timer.start(hal::now());
    auto all = CpuSet::create_all(cpu_count());
    if (EXPECT(all)) (void)sched::current().set_affinity(*all);
    for (u32 i = 0; i < kAdds; ++i) {
        g_counter.add(1);
        ticker.adds.store(i, std::memory_order_relaxed);
        if (i % 1000 == 0) sched::yield();
    }
    // On a fast machine the adds are over before the first handler.
    while (from_handlers.load(std::memory_order_relaxed) == 0) sched::yield();
    harness::meet();
    stop.store(true, std::memory_order_relaxed);
    // It may start itself a last time while it is being cancelled.
    while (ticker.timer.is_pending()) ticker.timer.cancel_and_wait();
    ticker.timer.cancel_and_wait();
    harness::meet();
    if (cpu.value() == 0) {
        u64 total = 0;
        for_each_cpu([&](CpuId each) { total += g_counter.on(each); });
        EXPECT_EQ(total, u64{kAdds} * cpus + from_handlers.load(std::memory_order_relaxed));
        EXPECT(from_handlers.load(std::memory_order_relaxed) != 0);
    }
}

PERCPU_SECTION constinit PerCpu<u64> twice{u64{0}};
TEST_ALL_CPUS(percpu, loads_are_whole_under_a_storm_of_calls) {
    static constinit std::atomic<u32> calls{0};
    constexpr u32 kRounds = 8;
    for (u32 i = 0; i < kRounds; ++i) {
        call_on_all(
            [](void*) ISR_SAFE_LAMBDA {
                twice.add(0x1'0000'0001);
                calls.fetch_add(1, std::memory_order_relaxed);
            },
            nullptr);
        u64 const seen = twice.load();
        EXPECT_EQ(seen >> 32, seen & 0xffff'ffff);
    }
    harness::meet();
    PinGuard const pinned;
    EXPECT(twice.load() >= u64{kRounds} * cpus * 0x1'0000'0001);
}

TEST_ALL_CPUS(percpu, dynamic_slots_are_separate) {
    auto made = DynamicPerCpu<u64>::create();
    REQUIRE(made);
    for (u32 i = 0; i < cpus; ++i) {
        EXPECT_EQ(made->on(CpuId{i}), 0u);
        EXPECT_EQ(reinterpret_cast<uptr>(&made->on(CpuId{i})) % kCacheLine, 0u);
        made->on(CpuId{i}) = i + 1;
    }
    for (u32 i = 0; i < cpus; ++i) EXPECT_EQ(made->on(CpuId{i}), u64{i} + 1);
    PinGuard const pinned;
    EXPECT_EQ(made->local(pinned), u64{cpu.value()} + 1);
    DynamicPerCpu<u64> const moved = std::move(*made);
    EXPECT_EQ(moved.local(pinned), u64{cpu.value()} + 1);
}

TEST(percpu, dynamic_constructs_and_destroys_each) {
    static constinit std::atomic<u32> alive{0};
    struct Counted {
        Counted() { alive.fetch_add(1, std::memory_order_relaxed); }
        ~Counted() { alive.fetch_sub(1, std::memory_order_relaxed); }
    };
    {
        auto made = DynamicPerCpu<Counted>::create();
        REQUIRE(made);
        EXPECT_EQ(alive.load(std::memory_order_relaxed), cpu_count());
    }
    EXPECT_EQ(alive.load(std::memory_order_relaxed), 0u);
}

TEST(percpu, dynamic_reports_memory_that_is_not_there) {
    struct Huge {
        char bytes[size_t{1} << 45];
    };
    EXPECT_ERROR(DynamicPerCpu<Huge>::create(), Error::NoMemory);
}

TEST_DEATH(percpu, no_copy_beyond_the_last_cpu, "check failed") {
    auto made = DynamicPerCpu<u32>::create();
    REQUIRE(made);
    (void)made->on(CpuId{cpu_count()});
}

}  // namespace
}  // namespace tutti::smp
