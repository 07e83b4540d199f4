// SPDX-License-Identifier: BSD-3-Clause
#include "platform/xen/event_channels.hpp"

#include <atomic>

#include "hal/clock.hpp"
#include "harness/test.hpp"
#include "platform/pc/cpus.hpp"
#include "platform/xen/hypercalls.hpp"
#include "platform/xen/xen.hpp"
#include "sched/timers/sleep.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::platform::xen {
namespace {

struct Seen {
    CpuId cpu;
    std::atomic<u32> count{0};
    std::atomic<u32> elsewhere{0};
};

ISR_SAFE void take(void* argument) {
    auto& seen = *static_cast<Seen*>(argument);
    (smp::this_cpu_unstable() == seen.cpu ? seen.count : seen.elsewhere).fetch_add(1, std::memory_order_relaxed);
}

bool reaches(std::atomic<u32> const& count, u32 wanted) {
    Deadline const deadline = hal::now() + Nanoseconds::from_s(10);
    while (count.load(std::memory_order_relaxed) < wanted) {
        if (hal::now() > deadline) return false;
        (void)sched::sleep_for(Nanoseconds::from_us(100));
    }
    return true;
}

constexpr char kNotXen[] = "this is not Xen";

// From whatever CPU the thread runs on to each one.
TEST(event_channels, a_port_reaches_its_cpu) {
    if (!present()) SKIP(kNotXen);
    for (u32 i = 0; i < smp::cpu_count(); ++i) {
        Seen seen{.cpu = CpuId{i}};
        Result<u32> const port = bind_ipi(seen.cpu, take, &seen);
        REQUIRE(port.has_value());
        for (u32 n = 1; n <= 20; ++n) {
            notify(*port);
            if (!EXPECT(reaches(seen.count, n))) return;
        }
        close_port(*port);
        EXPECT_EQ(seen.count.load(std::memory_order_relaxed), 20u);
        EXPECT_EQ(seen.elsewhere.load(std::memory_order_relaxed), 0u);
    }
}

// Ports of all CPUs, in one word, raised from all CPUs.
TEST_ALL_CPUS(event_channels, neighbours_are_kept_apart) {
    if (!present()) SKIP(kNotXen);
    Seen seen{.cpu = cpu};
    static constinit std::atomic<u32> ports[64]{};
    Result<u32> const port = bind_ipi(cpu, take, &seen);
    bool const bound = EXPECT(port.has_value());
    if (bound && cpu.value() < 64) ports[cpu.value()].store(*port, std::memory_order_relaxed);
    harness::meet();
    CpuId const next{(cpu.value() + 1) % cpus};
    for (u32 n = 1; bound && n <= 20; ++n) {
        if (next.value() < 64) notify(ports[next.value()].load(std::memory_order_relaxed));
        (void)sched::sleep_for(Nanoseconds::from_us(50));
    }
    harness::meet();
    if (!bound) return;
    EXPECT(reaches(seen.count, 1));
    EXPECT_EQ(seen.elsewhere.load(std::memory_order_relaxed), 0u);
    close_port(*port);
}

TEST_EACH_CPU(event_channels, the_timer_interrupt_comes) {
    if (!present()) SKIP(kNotXen);
    constexpr u64 kSetTimer = 8;
    Seen seen{.cpu = cpu};
    Result<u32> const port = bind_virq(Virq::Timer, cpu, take, &seen);
    REQUIRE(port.has_value());
    EXPECT(!bind_virq(Virq::Timer, cpu, take, &seen).has_value());
    struct {
        u64 at;
        u32 flags;
    } timer{1, 0};  // long past
    EXPECT_EQ(xen_vcpu_op(kSetTimer, processor_id_of(cpu), &timer), 0);
    EXPECT(reaches(seen.count, 1));
    EXPECT_EQ(seen.elsewhere.load(std::memory_order_relaxed), 0u);
    close_port(*port);
}

TEST(event_channels, a_closed_port_is_silent) {
    if (!present()) SKIP(kNotXen);
    Seen seen{.cpu = CpuId{0}};
    Result<u32> const port = bind_ipi(seen.cpu, take, &seen);
    REQUIRE(port.has_value());
    close_port(*port);
    notify(*port);
    (void)sched::sleep_for(Nanoseconds::from_ms(5));
    EXPECT_EQ(seen.count.load(std::memory_order_relaxed), 0u);
}

}  // namespace
}  // namespace tutti::platform::xen
