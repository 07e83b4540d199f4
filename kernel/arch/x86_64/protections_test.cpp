// SPDX-License-Identifier: BSD-3-Clause
#include "arch/cpu.hpp"
#include "arch/user_access.hpp"
#include "harness/test.hpp"

namespace tutti::arch {
namespace {

TEST_ALL_CPUS(user_access, protections_are_on) {
    CpuidResult const features = cpuid(0).eax >= 7 ? cpuid(7) : CpuidResult{};
    u64 const cr4 = read_cr4();
    EXPECT((read_cr0() & kCr0WriteProtect) != 0);
    EXPECT((read_msr(kMsrEfer) & (1 << 11)) != 0);  // NXE
    EXPECT_EQ((cr4 & kCr4Smep) != 0, (features.ebx & (1u << 7)) != 0);
    EXPECT_EQ((cr4 & kCr4Smap) != 0, (features.ebx & (1u << 20)) != 0);
    EXPECT_EQ((cr4 & kCr4Umip) != 0, (features.ecx & (1u << 2)) != 0);
    EXPECT_EQ(cr4 & kCr4FsGsBase, u64{0});
    EXPECT(user_memory_is_closed());
}

}  // namespace
}  // namespace tutti::arch
