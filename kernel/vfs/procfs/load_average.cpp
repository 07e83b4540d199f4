// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/procfs/load_average.hpp"

#include "hal/clock.hpp"
#include "sched/scheduler.hpp"
#include "sched/timers/timer.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::vfs {

namespace {

constexpr Nanoseconds kPeriod = Nanoseconds::from_s(5);
constexpr unsigned kMinutes[] = {1, 5, 15};

// Written by the timer only. Relaxed: each stands for itself.
constinit std::atomic<u64> averages[3] = {};

void sample(void*);
constinit sched::Timer timer{sample, nullptr};

ISR_SAFE void sample(void*) {
    u64 const runnable = runnable_threads();
    for (size_t i = 0; i < 3; ++i)
        averages[i].store(decay_load(averages[i].load(std::memory_order_relaxed), runnable, kMinutes[i]),
                          std::memory_order_relaxed);
    timer.start(hal::now() + kPeriod);
}

}  // namespace

void start_load_average() { timer.start(hal::now() + kPeriod); }

u64 decay_load(u64 average, u64 runnable, unsigned minutes) {
    // exp(-5 s / 1, 5, 15 min) with kLoadShift bits.
    u64 const keep = minutes == 1 ? 60296 : minutes == 5 ? 64453 : 65173;
    constexpr u64 kOne = u64{1} << kLoadShift;
    return (average * keep + (runnable << kLoadShift) * (kOne - keep)) >> kLoadShift;
}

ISR_SAFE u32 runnable_threads() {
    u32 total = 0;
    smp::for_each_online_cpu([&](CpuId cpu) { total += sched::runnable_count(cpu); });
    return total;
}

LoadAverages load_averages() {
    LoadAverages result;
    for (size_t i = 0; i < 3; ++i) result[i] = averages[i].load(std::memory_order_relaxed);
    return result;
}

}  // namespace tutti::vfs
