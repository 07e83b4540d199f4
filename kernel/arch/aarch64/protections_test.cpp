// SPDX-License-Identifier: BSD-3-Clause
#include "arch/cpu.hpp"
#include "arch/user_access.hpp"
#include "harness/test.hpp"

namespace tutti::arch {
namespace {

TEST_ALL_CPUS(user_access, protections_are_on) {
    constexpr u64 kOn = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 12;  // MMU, caches, aligned stack pointer
    EXPECT_EQ(read_sctlr() & kOn, kOn);
    if (has_pan()) EXPECT_EQ(read_sctlr() & (1 << 23), u64{0});  // SPAN
    EXPECT(user_memory_is_closed());
}

}  // namespace
}  // namespace tutti::arch
