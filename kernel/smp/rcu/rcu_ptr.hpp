// SPDX-License-Identifier: BSD-3-Clause
// A pointer that readers follow without a lock.
//
//   RcuPtr<Table> table;
//   reader:  rcu::ReadGuard reading; table.load(reading)->...        valid as long as the section
//   writer:  Table* old = table.exchange(fresh);                     then synchronize() or defer() before old is freed
//
// Progress: wait-free. Any context up to Isr. Publication: what was written to the object before publish() is visible to who
// loads it. (acquire rather than a dependency: the same instruction on x86_64, one cheap one on Arm64, and a guarantee that
// the language gives.)
#pragma once

#include <atomic>

#include "smp/context/context.hpp"

namespace tutti::smp {

template <class T>
class RcuPtr {
  public:
    constexpr RcuPtr() = default;
    constexpr explicit RcuPtr(T* initial) : pointer_{initial} {}
    RcuPtr(RcuPtr const&) = delete;
    RcuPtr& operator=(RcuPtr const&) = delete;

    // In a read section; may be null. acquire: pairs with the releases below.
    [[nodiscard]] T* load(NoPreempt const&) const { return pointer_.load(std::memory_order_acquire); }

    // --- writers, who exclude each other or use exchange() ---
    // relaxed: the caller's lock has ordered it behind the last change.
    [[nodiscard]] T* load_locked() const { return pointer_.load(std::memory_order_relaxed); }
    void publish(T* fresh) { pointer_.store(fresh, std::memory_order_release); }
    // acquire: the old object, too, may be looked at.
    [[nodiscard]] T* exchange(T* fresh) { return pointer_.exchange(fresh, std::memory_order_acq_rel); }

  private:
    std::atomic<T*> pointer_{nullptr};
};

}  // namespace tutti::smp
