// SPDX-License-Identifier: BSD-3-Clause
// What the run queues know of a thread. Portable, so that the queues are tested on the host.
#pragma once

#include <atomic>

#include "base/intrusive_list.hpp"
#include "base/rb_tree.hpp"
#include "sched/policy.hpp"

namespace tutti::sched {

struct RunEntity {
    RbNode fair_node;
    ListNode realtime_node;
    // Time run, scaled by weight, on the scale of the fair queue of CPU `home`: comparable only with others there.
    u64 virtual_time = 0;
    u32 home = 0;
    u32 weight = kUnitWeight;
    Policy queued_policy{};  // under which it was queued last
    // CPU + 1 whose queue it is in, or 0. Written under that queue's lock, so whoever holds a queue's lock knows whether
    // it is in that one; the thread may enter another queue at the same time.
    std::atomic<u32> queued_on{0};
    Nanoseconds slice_left = kRoundRobinSlice;  // RoundRobin
};

}  // namespace tutti::sched
