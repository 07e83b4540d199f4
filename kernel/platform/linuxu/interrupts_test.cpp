// SPDX-License-Identifier: BSD-3-Clause
#include "platform/linuxu/interrupts.hpp"

#include "hal/clock.hpp"
#include "harness/test.hpp"
#include "sched/thread.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::platform {
namespace {

struct Seen {
    CpuId wanted;
    std::atomic<u32> times{0};
    std::atomic<u32> elsewhere{0};

    ISR_SAFE static void handle(void* self) {
        auto& seen = *static_cast<Seen*>(self);
        if (!smp::in_isr() || smp::this_cpu_unstable() != seen.wanted) seen.elsewhere.fetch_add(1);
        seen.times.fetch_add(1);
    }
    [[nodiscard]] bool comes_to(u32 count) const {
        Deadline const deadline = hal::now() + Nanoseconds::from_s(10);
        while (times.load() < count && hal::now() < deadline) sched::yield();
        return times.load() == count;
    }
};

// All that a CPU has, from this CPU and from its neighbour.
TEST_EACH_CPU(device_interrupts, reach_their_handler_on_their_cpu) {
    constexpr u32 kMost = 32;
    for (u32 const target : {cpu.value(), (cpu.value() + 1) % cpus}) {
        Seen seen[kMost];
        hal::InterruptHandle handles[kMost];
        u32 count = 0;
        for (;; ++count) {
            REQUIRE(count < kMost);
            seen[count].wanted = CpuId{target};
            auto const handle = hal::allocate_interrupt(CpuId{target}, &Seen::handle, &seen[count]);
            if (!handle) {
                EXPECT_EQ(handle.error(), Error::Busy);
                break;
            }
            handles[count] = *handle;
        }
        EXPECT(count > 8);
        for (u32 i = 0; i < count; ++i) raise_interrupt(handles[i]);
        for (u32 i = 0; i < count; ++i) EXPECT(seen[i].comes_to(1));
        // One after the other: each wakes the CPU if it sleeps.
        for (u32 i = 0; i < count; ++i) {
            raise_interrupt(handles[i]);
            EXPECT(seen[i].comes_to(2));
        }
        for (u32 i = 0; i < count; ++i) {
            EXPECT_EQ(seen[i].elsewhere.load(), 0u);
            hal::free_interrupt(handles[i]);
        }
    }
}

TEST(device_interrupts, come_once_when_raised_twice) {
    smp::PinGuard const pin;
    Seen seen{.wanted = smp::this_cpu(pin)};
    auto const handle = hal::allocate_interrupt(seen.wanted, &Seen::handle, &seen);
    REQUIRE(handle.has_value());
    {
        smp::IrqOffGuard const off;
        raise_interrupt(*handle);
        raise_interrupt(*handle);
        EXPECT_EQ(seen.times.load(), 0u);
    }
    EXPECT_EQ(seen.times.load(), 1u);
    hal::free_interrupt(*handle);
    raise_interrupt(*handle);  // of a device that was silenced too late
    EXPECT_EQ(seen.times.load(), 1u);
}

}  // namespace
}  // namespace tutti::platform
