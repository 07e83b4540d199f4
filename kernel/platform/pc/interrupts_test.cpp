// SPDX-License-Identifier: BSD-3-Clause
#include "hal/interrupts.hpp"

#include <atomic>

#include "base/vector.hpp"
#include "hal/clock.hpp"
#include "hal/cpu.hpp"
#include "harness/test.hpp"
#include "platform/pc/cpus.hpp"
#include "platform/pc/local_apic.hpp"
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

// As a device would: the vector of the handle, to the handle's CPU.
void raise(InterruptHandle handle) {
    smp::IrqOffGuard const off;
    platform::local_apic::send_fixed(platform::apic_id_of(handle.cpu), static_cast<u8>(handle.vector));
}

bool wait_for(std::atomic<u32>& count, u32 wanted) {
    Deadline const deadline = now() + Nanoseconds::from_s(20);
    while (count.load(std::memory_order_acquire) != wanted)
        if (now() >= deadline) return false;
    return true;
}

TEST_ALL_CPUS(interrupts, arrive_on_the_cpu_that_was_asked_for) {
    for (u32 target = 0; target < cpus; ++target) {
        Seen seen;
        seen.cpu = CpuId{target};
        Result<InterruptHandle> const handle = allocate_interrupt(CpuId{target}, count_interrupt, &seen);
        REQUIRE(handle.has_value());
        // One at a time: equal ones that are pending merge.
        for (u32 i = 1; i <= harness::rounds_each(10, cpus); ++i) {
            raise(*handle);
            if (!EXPECT(wait_for(seen.count, i))) break;
        }
        EXPECT_EQ(seen.wrong_cpu.load(std::memory_order_relaxed), 0u);
        free_interrupt(*handle);
    }
}

TEST(interrupts, vectors_run_out_and_come_back) {
    for (u32 round = 0; round < 2; ++round) {
        Vector<InterruptHandle> handles;
        Seen seen;
        while (true) {
            Result<InterruptHandle> const handle = allocate_interrupt(CpuId{0}, count_interrupt, &seen);
            if (!handle) {
                EXPECT_EQ(handle.error(), Error::Busy);
                break;
            }
            for (InterruptHandle const& other : handles) EXPECT(other.vector != handle->vector);
            REQUIRE(handles.try_push_back(*handle).has_value());
        }
        EXPECT(handles.size() > 100);
        for (InterruptHandle const& handle : handles) free_interrupt(handle);
    }
}

TEST(interrupts, a_line_that_does_not_exist_is_an_error) {
    Seen seen;
    Result<InterruptHandle> const handle = allocate_interrupt(CpuId{0}, count_interrupt, &seen);
    REQUIRE(handle.has_value());
    EXPECT_ERROR(route_line({.gsi = 100000, .mode = TriggerMode::Edge}, *handle), Error::NotFound);
    free_interrupt(*handle);
}

}  // namespace
}  // namespace tutti::hal
