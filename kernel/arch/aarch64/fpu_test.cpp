// SPDX-License-Identifier: BSD-3-Clause
#include "arch/fpu.hpp"

#include <cstring>
#include <span>

#include "arch/cpu.hpp"
#include "hal/clock.hpp"
#include "harness/test.hpp"
#include "smp/context/context.hpp"

namespace tutti::arch {
namespace {

struct alignas(64) State {
    u64 words[66];
};

TEST(fpu, state_survives_a_save_and_a_restore) {
    static constinit State first{};
    static constinit State second{};
    static constinit State found{};
    REQUIRE(fpu_area_size() == 66 * sizeof(u64));
    auto random = harness::random();
    for (State* const state : {&first, &second}) {
        for (u64& word : state->words) word = random.next();
        fpu_sanitize(state->words);
    }
    smp::IrqOffGuard const off;
    fpu_restore(&first);
    fpu_restore(&second);
    fpu_save(&found);
    EXPECT(std::memcmp(found.words + 2, second.words + 2, 64 * sizeof(u64)) == 0);
    fpu_restore(&first);
    fpu_save(&found);
    EXPECT(std::memcmp(found.words + 2, first.words + 2, 64 * sizeof(u64)) == 0);
    EXPECT_EQ(static_cast<u32>(found.words[1]), static_cast<u32>(first.words[1]));  // FPSR
    fpu_reset(&found);
    fpu_restore(&found);
    fpu_save(&first);
    for (u64 const word : std::span{first.words}.subspan(1)) EXPECT_EQ(word, u64{0});
}

// The kernel computes nothing in these registers: they are as they were left, through calls, locks and interrupts.
TEST_ALL_CPUS(fpu, the_kernel_leaves_the_registers_alone) {
    State state{};
    State found{};
    smp::PreemptGuard const here;
    state.words[6] = 0x1122334455667788 + cpu.value();
    fpu_restore(&state);
    Nanoseconds const until = hal::now() + Nanoseconds::from_ms(20);
    while (hal::now() < until) arch::pause();
    fpu_save(&found);
    EXPECT_EQ(found.words[6], state.words[6]);
}

}  // namespace
}  // namespace tutti::arch
