// SPDX-License-Identifier: BSD-3-Clause
// Runnable real-time threads of one CPU: a list for each priority and a bitmap of the lists that are not empty.
// The lock of the run queue guards it.
#pragma once

#include <bit>

#include "sched/run_queue/entity.hpp"

namespace tutti::sched {

class RealtimeQueue {
  public:
    constexpr RealtimeQueue() = default;

    ISR_SAFE void push_back(RunEntity& entity) { list_of(entity).push_back(entity); }
    ISR_SAFE void push_front(RunEntity& entity) { list_of(entity).push_front(entity); }
    ISR_SAFE void remove(RunEntity& entity) {
        List& list = lists_[entity.queued_policy.priority];
        list.remove(entity);
        if (list.empty()) occupied_[word_of(entity)] &= ~bit_of(entity);
    }
    // The longest waiting thread of the highest priority; null when there is none.
    [[nodiscard]] ISR_SAFE RunEntity* first() { return empty() ? nullptr : lists_[highest_priority()].front_or_null(); }
    // The one behind `entity` in the order in which they would run; null at the end.
    [[nodiscard]] ISR_SAFE RunEntity* next(RunEntity& entity) {
        List& list = lists_[entity.queued_policy.priority];
        bool found = false;
        for (RunEntity& other : list) {
            if (found) return &other;
            found = &other == &entity;
        }
        for (unsigned priority = entity.queued_policy.priority; priority-- > 0;)
            if (!lists_[priority].empty()) return &lists_[priority].front();
        return nullptr;
    }
    [[nodiscard]] bool empty() const { return (occupied_[0] | occupied_[1]) == 0; }
    // Of the queued threads; call when not empty.
    [[nodiscard]] unsigned highest_priority() const {
        return occupied_[1] != 0 ? 127u - static_cast<unsigned>(std::countl_zero(occupied_[1]))
                                 : 63u - static_cast<unsigned>(std::countl_zero(occupied_[0]));
    }

  private:
    using List = IntrusiveList<RunEntity, &RunEntity::realtime_node>;

    List& list_of(RunEntity& entity) {
        occupied_[word_of(entity)] |= bit_of(entity);
        return lists_[entity.queued_policy.priority];
    }
    static size_t word_of(RunEntity const& entity) { return entity.queued_policy.priority / 64; }
    static u64 bit_of(RunEntity const& entity) { return u64{1} << (entity.queued_policy.priority % 64); }

    List lists_[kMaxRealtimePriority + 1];
    u64 occupied_[2] = {};
};

}  // namespace tutti::sched
