// SPDX-License-Identifier: BSD-3-Clause
// Data inside its lock: there is no way to the data but through a guard.
//
//   Protected<Table, SpinLock> table{std::in_place, LockRank::Driver, "table"};
//   { auto guarded = table.lock(); guarded->insert(...); }        preemption off
//   { auto guarded = table.lock_irq(); ... }                      interrupts off
#pragma once

#include "smp/spin/spin.hpp"

namespace tutti::smp {

template <class T, class Lock = SpinLock>
class Protected {
  public:
    template <class... Args>
    constexpr Protected(LockRank rank, char const* name, Args&&... args)
        : lock_{rank, name}, value_{std::forward<Args>(args)...} {}

    template <class Guard>
    class Access : public Guard {
      public:
        Access(Lock& lock, T& value) NO_THREAD_SAFETY_ANALYSIS : Guard{lock}, value_{value} {}
        ~Access() NO_THREAD_SAFETY_ANALYSIS = default;
        T& operator*() const { return value_; }
        T* operator->() const { return &value_; }

      private:
        T& value_;
    };
    [[nodiscard]] Access<SpinGuard<Lock>> lock() { return {lock_, value_}; }
    [[nodiscard]] Access<SpinIrqGuard<Lock>> lock_irq() { return {lock_, value_}; }

  private:
    Lock lock_;
    T value_;
};

}  // namespace tutti::smp
