// SPDX-License-Identifier: BSD-3-Clause
// The framework's own promises. What must fail is in must_fail.cpp.
#include "base/assert.hpp"
#include "harness/test.hpp"
#include "sched/thread.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::harness {
namespace {

struct HarnessFixture {
    HarnessFixture() { steps[count++] = 'c'; }
    void set_up() { steps[count++] = 's'; }
    void tear_down() {
        steps[count++] = 't';
        ++torn_down;
    }
    std::string_view history() const { return {steps, count}; }

    char steps[8];
    size_t count = 0;
    static inline constinit u32 torn_down = 0;
};

TEST_F(HarnessFixture, is_set_up_before_the_body) { EXPECT_EQ(history(), "cs"); }
TEST_F(HarnessFixture, is_torn_down_after_each_case) {
    EXPECT_EQ(history(), "cs");
    // Not when this case was picked alone.
    EXPECT(torn_down <= 1);
}

TEST_P(harness, takes_parameters, values(1, 2, 64)) { EXPECT(parameter == 1 || parameter == 2 || parameter == 64); }

struct Range {
    char const* name;
    int low;
    int high;
};
TEST_P(harness, takes_named_parameters, (values(Range{"narrow", 1, 2}, Range{"wide", -100, 100}))) {
    EXPECT(parameter.low < parameter.high);
}

using Integers = Types<u8, i64>;
TEST_TYPES(harness, takes_types, Integers) {
    Type value = 1;
    EXPECT_EQ(value, Type{1});
}

TEST_ALL_CPUS(harness, runs_on_all_cpus_at_once) {
    static constinit std::atomic<u32> here{0};
    here.fetch_add(1, std::memory_order_relaxed);
    meet();
    EXPECT_EQ(here.load(std::memory_order_relaxed), cpus);
    smp::PinGuard const pin;
    EXPECT_EQ(smp::this_cpu(pin).value(), cpu.value());
}

TEST_EACH_CPU(harness, runs_on_each_cpu) {
    smp::PinGuard const pin;
    EXPECT_EQ(smp::this_cpu(pin).value(), cpu.value());
}

TEST(harness, skips_with_a_reason, .min_cpus = 1'000'000) { report_failure(TUTTI_FILE_NAME, __LINE__, "ran"); }

TEST(harness, repeats_random_numbers) {
    EXPECT_EQ(random().next(), random().next());
    EXPECT(random(1).next() != random(2).next());
    Schedule schedule{0};
    for (int i = 0; i < 10; ++i) schedule.step();
}

// What a death must have put right on its CPU.
void expect_thread_rung() {
    EXPECT(arch::interrupts_enabled());
    EXPECT_EQ(smp::preempt_depth(), 0u);
    EXPECT(!smp::in_isr());
    EXPECT_EQ(smp::spin_locks_held(), 0u);
}

TEST_DEATH(harness_death, of_a_check, "one is two") {
    int volatile one = 1;
    CHECK(one == 2, "one is two");
}
TEST_DEATH(harness_death, of_a_panic, "number 7") { panic("a bug on purpose, number {}", 7); }

TEST_EACH_CPU(harness_death, with_interrupts_off) {
    EXPECT_DEATH("interrupts are off", [] {
        smp::IrqOffGuard const guard;
        panic("interrupts are off");
    });
    expect_thread_rung();
}

TEST_EACH_CPU(harness_death, with_spin_locks_held) {
    static constexpr u32 kMoreThanTheListHolds = 20;
    for (u32 i = 0; i < kMoreThanTheListHolds; ++i) {
        EXPECT_DEATH("'outer'", []() NO_THREAD_SAFETY_ANALYSIS {
            smp::SpinLock outer{smp::LockRank::Driver, "outer"};
            smp::SpinGuard const guard{outer};
            smp::SpinGuard const again{outer};
        });
        expect_thread_rung();
    }
}

TEST_EACH_CPU(harness_death, in_an_interrupt_handler) {
    EXPECT_DEATH("must not block", [] {
        smp::PinGuard const pin;
        smp::IrqOffGuard const guard;
        smp::IsrEntry const isr;
        smp::might_sleep();
    });
    expect_thread_rung();
}

TEST(harness_death, again_and_again) {
    for (int i = 0; i < 3; ++i) {
        EXPECT_DEATH("round", [i] { panic("round {}", i); });
    }
}

}  // namespace
}  // namespace tutti::harness
