// SPDX-License-Identifier: BSD-3-Clause
// Runnable fair threads of one CPU, ordered by virtual time: who has had least of its share runs next.
//
// Virtual time advances by (time run) * kUnitWeight / weight. `minimum` follows the smallest virtual time of the running
// and queued threads and never goes back; it is the origin when a thread moves between CPUs: only the distance to the
// minimum moves. A thread that slept comes back at its old distance, but at most kWakeCredit ahead of the minimum: a long
// sleep earns a quick start, not a debt that others must repay.
// The lock of the run queue guards it, except for minimum(), which others may read at any time.
#pragma once

#include <atomic>

#include "sched/run_queue/entity.hpp"

namespace tutti::sched {

class FairQueue {
  public:
    static constexpr i64 kWakeCredit = 2'000'000;
    // Nor may a thread come with more debt than this: it has been minimum's pace-maker elsewhere.
    static constexpr i64 kMaxDebt = 20'000'000;

    constexpr FairQueue() = default;

    // Puts a thread that was not running here in its place; `home_minimum` is minimum() of the queue of entity.home.
    ISR_SAFE void insert_arriving(RunEntity& entity, u32 cpu, u64 home_minimum) {
        i64 distance = static_cast<i64>(entity.virtual_time - home_minimum);
        if (distance < -kWakeCredit) distance = -kWakeCredit;
        if (distance > kMaxDebt) distance = kMaxDebt;
        entity.virtual_time = minimum() + static_cast<u64>(distance);
        entity.home = cpu;
        tree_.insert(entity);
    }
    // Puts the thread that has just run here back.
    ISR_SAFE void insert_running(RunEntity& entity) { tree_.insert(entity); }
    ISR_SAFE void remove(RunEntity& entity) { tree_.remove(entity); }
    // Takes the first, and puts the thread that has just run in.
    ISR_SAFE RunEntity& exchange_first(RunEntity& running) {
        RunEntity& first = *tree_.first();
        if (tree_.size() == 1) {
            tree_.exchange_only(first, running);
        } else {
            tree_.remove(first);
            tree_.insert(running);
        }
        return first;
    }
    [[nodiscard]] RunEntity* first() const { return tree_.first(); }
    [[nodiscard]] RunEntity* next(RunEntity& entity) const { return tree_.next(entity); }
    [[nodiscard]] bool empty() const { return tree_.empty(); }

    // The thread that runs has used `time`.
    static void charge(RunEntity& running, Nanoseconds time) {
        u64 const scaled = static_cast<u64>(time.count());
        running.virtual_time +=
            running.weight == kUnitWeight ? scaled : scaled * kUnitWeight / running.weight;
    }
    // Moves the minimum along; `running` is the fair thread that runs on this CPU, or null.
    ISR_SAFE void update_minimum(RunEntity const* running) {
        RunEntity const* const queued = tree_.first();
        if (running == nullptr && queued == nullptr) return;
        u64 least = running != nullptr ? running->virtual_time : queued->virtual_time;
        if (queued != nullptr && static_cast<i64>(queued->virtual_time - least) < 0) least = queued->virtual_time;
        // relaxed: one word that stands for itself; only the lock's holder writes it.
        u64 const old = minimum_.load(std::memory_order_relaxed);
        if (static_cast<i64>(least - old) > 0) minimum_.store(least, std::memory_order_relaxed);
    }
    [[nodiscard]] u64 minimum() const { return minimum_.load(std::memory_order_relaxed); }

  private:
    struct LessVirtualTime {
        bool operator()(RunEntity const& a, RunEntity const& b) const {
            return static_cast<i64>(a.virtual_time - b.virtual_time) < 0;
        }
    };
    RbTree<RunEntity, &RunEntity::fair_node, LessVirtualTime> tree_;
    std::atomic<u64> minimum_{0};
};

}  // namespace tutti::sched
