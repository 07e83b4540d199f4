// SPDX-License-Identifier: BSD-3-Clause
#include "platform/pc/pvclock.hpp"

#include <gtest/gtest.h>

namespace tutti::platform {
namespace {

// The host's side: scales a frequency as KVM does.
struct Scale {
    u32 multiplier;
    int shift;
};
Scale scale_of(u64 hertz) {
    int shift = 0;
    u64 ticks = hertz;
    while (ticks > 2'000'000'000) {
        ticks >>= 1;
        --shift;
    }
    while (ticks <= 1'000'000'000) {
        ticks <<= 1;
        ++shift;
    }
    return {static_cast<u32>((u64{1'000'000'000} << 32) / ticks), shift};
}

TEST(PvClock, gives_the_frequency_back) {
    for (u64 const hertz : {u64{100'000'000}, u64{999'999'999}, u64{1'000'000'000}, u64{1'800'000'000}, u64{2'500'000'000},
                            u64{2'903'998'000}, u64{3'700'123'000}, u64{5'800'000'000}, u64{20'000'000'000}}) {
        Scale const scale = scale_of(hertz);
        EXPECT_NEAR(static_cast<double>(pvclock_frequency(scale.multiplier, scale.shift)), static_cast<double>(hertz),
                    static_cast<double>(hertz) * 1e-8);
    }
}

TEST(PvClock, refuses_nonsense) {
    EXPECT_EQ(pvclock_frequency(0, 0), 0u);
    EXPECT_EQ(pvclock_frequency(0x80000000, 100), 0u);
    EXPECT_EQ(pvclock_frequency(0x80000000, -128), 0u);
    EXPECT_EQ(pvclock_frequency(1, -31), 0u);
}

}  // namespace
}  // namespace tutti::platform
