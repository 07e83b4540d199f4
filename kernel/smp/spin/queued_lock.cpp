// SPDX-License-Identifier: BSD-3-Clause
#include "smp/spin/queued_lock.hpp"

#include "smp/percpu/percpu.hpp"

namespace tutti::smp {

namespace {

struct WaiterNodes {
    SpinQueueNode nodes[queued_lock::kNodesPerCpu];
};
PERCPU_SECTION constinit PerCpu<WaiterNodes> g_nodes;
PERCPU_SECTION constinit PerCpu<u32> g_nodes_used;

// relaxed everywhere: either way of waiting is right at any time.
constinit std::atomic<bool> g_compete{false};

}  // namespace

void set_spin_waiters_compete(bool compete) { g_compete.store(compete, std::memory_order_relaxed); }
ISR_SAFE bool spin_waiters_compete() { return g_compete.load(std::memory_order_relaxed); }

ISR_SAFE void queued_lock::lock_slow(std::atomic<u32>& word) {
    if (spin_waiters_compete()) {
        wait_competing(word);
        return;
    }
    if (!compete_briefly(word)) lock_in_queue(word);
}

ISR_SAFE void queued_lock::lock_in_queue(std::atomic<u32>& word) {
    AssumeNoPreempt const here;
    // An interrupt between the load and the add leaves the count as it found it.
    u32 const index = g_nodes_used.load();
    CHECK(index < kNodesPerCpu, "spinning on too many rungs");
    g_nodes_used.add(1);
    u32 const cpu = this_cpu(here).value();
    wait_in_queue(word, g_nodes.local(here).nodes[index], encode_tail(cpu, index),
                  [](u32 tail) -> SpinQueueNode& { return g_nodes.on(CpuId{tail_cpu(tail)}).nodes[tail_index(tail)]; });
    g_nodes_used.add(~u32{0});
}

}  // namespace tutti::smp
