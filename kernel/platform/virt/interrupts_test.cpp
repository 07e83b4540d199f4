// SPDX-License-Identifier: BSD-3-Clause
#include "hal/interrupts.hpp"

#include <atomic>

#include "arch/mmio.hpp"
#include "base/vector.hpp"
#include "hal/clock.hpp"
#include "hal/cpu.hpp"
#include "harness/test.hpp"
#include "mem/paging/kernel_map.hpp"
#include "platform/virt/interrupts.hpp"
#include "platform/xen/xen.hpp"
#include "sched/timers/sleep.hpp"
#include "smp/context/context.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::hal {
namespace {

struct Seen {
    std::atomic<u32> count{0};
    std::atomic<u32> wrong_cpu{0};
    CpuId cpu;
};

ISR_SAFE void count_interrupt(void* argument) {
    auto& seen = *static_cast<Seen*>(argument);
    if (smp::this_cpu_unstable() != seen.cpu) seen.wrong_cpu.fetch_add(1, std::memory_order_relaxed);
    seen.count.fetch_add(1, std::memory_order_release);
}

bool wait_for(std::atomic<u32>& count, u32 wanted) {
    Deadline const deadline = now() + Nanoseconds::from_s(20);
    while (count.load(std::memory_order_acquire) != wanted)
        if (now() >= deadline) return false;
    return true;
}

// One that no device of the machine has.
InterruptLine spare_line() { return {.gsi = platform::end_of_lines() - 1, .mode = TriggerMode::Edge}; }

TEST(interrupts, lines_arrive_on_the_cpu_that_was_asked_for) {
    for (u32 target = 0; target < cpu_count(); ++target) {
        Seen seen;
        seen.cpu = CpuId{target};
        Result<InterruptHandle> const handle = allocate_interrupt(CpuId{target}, count_interrupt, &seen);
        REQUIRE(handle.has_value());
        REQUIRE(route_line(spare_line(), *handle).has_value());
        // One at a time: equal ones that are pending merge.
        for (u32 i = 1; i <= 10; ++i) {
            platform::raise_line(spare_line().gsi);
            if (!EXPECT(wait_for(seen.count, i))) break;
        }
        EXPECT_EQ(seen.wrong_cpu.load(std::memory_order_relaxed), 0u);
        free_interrupt(*handle);
    }
}

TEST_ALL_CPUS(interrupts, messages_arrive_on_the_cpu_that_was_asked_for) {
    if (!has_interrupt_messages()) SKIP("this machine has no messages");
    for (u32 target = 0; target < cpus; ++target) {
        Seen seen;
        seen.cpu = CpuId{target};
        Result<InterruptHandle> const handle = allocate_interrupt(CpuId{target}, count_interrupt, &seen);
        REQUIRE(handle.has_value());
        // QEMU takes what a CPU writes for the first function's.
        Result<InterruptMessage> const message = interrupt_message(*handle, {.segment = 0, .requester = 0});
        REQUIRE(message.has_value());
        Result<void*> const doorbell = mem::map_device(PhysAddr{message->address}, 4);
        REQUIRE(doorbell.has_value());
        for (u32 i = 1; i <= 10; ++i) {
            arch::mmio_write<u32>(*doorbell, message->data);
            if (!EXPECT(wait_for(seen.count, i))) break;
        }
        EXPECT_EQ(seen.wrong_cpu.load(std::memory_order_relaxed), 0u);
        free_interrupt(*handle);
    }
}

TEST(interrupts, a_line_that_was_given_back_is_silent) {
    if (platform::xen::present()) SKIP("Xen ignores writes to GICD_ICPENDR (vgic_check_inflight_irqs_pending, 4.16 on)");
    Seen seen;
    seen.cpu = CpuId{0};
    Result<InterruptHandle> const handle = allocate_interrupt(CpuId{0}, count_interrupt, &seen);
    REQUIRE(handle.has_value());
    REQUIRE(route_line(spare_line(), *handle).has_value());
    mask_line(spare_line().gsi);
    platform::raise_line(spare_line().gsi);
    (void)sched::sleep_for(Nanoseconds::from_ms(5));
    EXPECT_EQ(seen.count.load(std::memory_order_relaxed), 0u);
    // What came meanwhile is forgotten.
    REQUIRE(route_line(spare_line(), *handle).has_value());
    (void)sched::sleep_for(Nanoseconds::from_ms(5));
    EXPECT_EQ(seen.count.load(std::memory_order_relaxed), 0u);
    free_interrupt(*handle);
}

TEST(interrupts, a_line_has_one_handle) {
    Seen seen;
    Result<InterruptHandle> const handle = allocate_interrupt(CpuId{0}, count_interrupt, &seen);
    Result<InterruptHandle> const other = allocate_interrupt(CpuId{0}, count_interrupt, &seen);
    REQUIRE(handle.has_value() && other.has_value());
    REQUIRE(route_line(spare_line(), *handle).has_value());
    EXPECT_ERROR(route_line(spare_line(), *other), Error::Busy);
    free_interrupt(*handle);
    EXPECT(route_line(spare_line(), *other).has_value());
    free_interrupt(*other);
}

TEST(interrupts, a_line_that_does_not_exist_is_an_error) {
    Seen seen;
    Result<InterruptHandle> const handle = allocate_interrupt(CpuId{0}, count_interrupt, &seen);
    REQUIRE(handle.has_value());
    for (u32 const number : {0u, 31u, platform::end_of_lines(), 100000u})
        EXPECT_ERROR(route_line({.gsi = number, .mode = TriggerMode::Edge}, *handle), Error::NotFound);
    free_interrupt(*handle);
}

TEST(interrupts, places_run_out_and_come_back) {
    for (u32 round = 0; round < 2; ++round) {
        Vector<InterruptHandle> handles;
        Seen seen;
        while (true) {
            Result<InterruptHandle> const handle = allocate_interrupt(CpuId{0}, count_interrupt, &seen);
            if (!handle) {
                EXPECT_EQ(handle.error(), Error::Busy);
                break;
            }
            REQUIRE(handles.try_push_back(*handle).has_value());
        }
        EXPECT(handles.size() > 100);
        for (InterruptHandle const& handle : handles) free_interrupt(handle);
    }
}

}  // namespace
}  // namespace tutti::hal
