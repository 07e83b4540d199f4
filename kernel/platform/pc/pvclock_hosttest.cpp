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

TEST(PvClock, nothing_written_is_no_frequency) {
    PvClockTime time{.version = 2, .multiplier = 0x80000000, .shift = 0};
    EXPECT_EQ(pvclock_frequency(time), 2'000'000'000u);
    time.version = 0;
    EXPECT_EQ(pvclock_frequency(time), 0u);
    time.version = 3;  // being written
    EXPECT_EQ(pvclock_frequency(time), 0u);
}

TEST(PvClock, tells_the_time_at_a_counter) {
    PvClockTime time{.version = 2, .counter = 1000, .nanoseconds = 500, .multiplier = 0x80000000, .shift = 0};
    EXPECT_EQ(pvclock_nanoseconds(time, 1000), 500u);
    EXPECT_EQ(pvclock_nanoseconds(time, 3000), 1500u);
    time.shift = 2;
    EXPECT_EQ(pvclock_nanoseconds(time, 3000), 4500u);
    time.shift = -1;
    EXPECT_EQ(pvclock_nanoseconds(time, 3000), 1000u);
    time.shift = 0;
    EXPECT_EQ(pvclock_nanoseconds(time, u64{1} << 62), 500 + ((u64{1} << 62) - 1000) / 2);
}

TEST(PvClock, a_reading_is_what_was_written) {
    PvClockTime const time{.version = 4, .counter = 1, .nanoseconds = 2, .multiplier = 3, .shift = -4, .flags = 1};
    PvClockTime const read = pvclock_read(&time);
    EXPECT_EQ(read.version, 4u);
    EXPECT_EQ(read.counter, 1u);
    EXPECT_EQ(read.nanoseconds, 2u);
    EXPECT_EQ(read.multiplier, 3u);
    EXPECT_EQ(read.shift, -4);
    EXPECT_EQ(read.flags, 1u);
}

}  // namespace
}  // namespace tutti::platform
