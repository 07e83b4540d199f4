// SPDX-License-Identifier: BSD-3-Clause
#include "smp/percpu/percpu.hpp"

namespace tutti::smp {

namespace {
PERCPU_SECTION constinit PerCpu<std::atomic<bool>> g_online;
constinit std::atomic<u32> g_online_count{0};
}  // namespace

// relaxed: a counter for messages and tests.
ISR_SAFE u32 online_count() { return g_online_count.load(std::memory_order_relaxed); }

// acquire: pairs with the release in set_online, so that whoever sees a CPU online may use what it set up.
ISR_SAFE bool is_online(CpuId cpu) { return g_online.on(cpu).load(std::memory_order_acquire); }

void set_online(CpuId cpu) {
    if (!g_online.on(cpu).exchange(true, std::memory_order_release))
        g_online_count.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace tutti::smp
