// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/wall_clock.hpp"

#include <atomic>

#include "hal/clock.hpp"

namespace tutti::vfs {

namespace {

// Added to the offset found at boot. Relaxed: one word, nothing is published with it.
constinit std::atomic<i64> adjustment{0};

}  // namespace

ISR_SAFE Nanoseconds wall_clock_offset() {
    return hal::wall_clock_at_boot() + Nanoseconds{adjustment.load(std::memory_order_relaxed)};
}
Nanoseconds wall_clock_now() { return hal::now() + wall_clock_offset(); }
void set_wall_clock_offset(Nanoseconds offset) {
    adjustment.store((offset - hal::wall_clock_at_boot()).count(), std::memory_order_relaxed);
}

}  // namespace tutti::vfs
