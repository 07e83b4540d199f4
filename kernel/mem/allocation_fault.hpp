// SPDX-License-Identifier: BSD-3-Clause
// Out-of-memory on demand: makes the n-th allocation fail that one thread makes from now on, from the heap or of frames.
// Debug builds only; in release builds nothing fails and nothing is looked at.
//
//   for (u32 n = 1;; ++n) {
//       mem::AllocationFault const fault{n, &who};      // who(): names the running thread
//       ... the operation ...
//       if (!fault.happened()) break;                   // it has fewer than n allocations, and has succeeded
//   }
#pragma once

#include <atomic>

#include "base/compiler.hpp"
#include "base/types.hpp"

namespace tutti::mem {

namespace detail {
// Whose allocations count; null: nobody's.
extern constinit std::atomic<void const*> faulting;
[[nodiscard]] NOINLINE bool is_allocation_to_fail();
}  // namespace detail

// One at a time in the whole machine, made and destroyed by the thread that it is for.
class AllocationFault {
  public:
    using Identity = void const* (*)();
    AllocationFault(u32 nth, Identity identity);
    AllocationFault(AllocationFault const&) = delete;
    AllocationFault& operator=(AllocationFault const&) = delete;
    ~AllocationFault();
    [[nodiscard]] bool happened() const;
};

// For the allocators: whether the allocation that is about to be made has to fail.
[[nodiscard]] ALWAYS_INLINE bool allocation_fails() {
    if constexpr (!kDebugBuild) return false;
    // acquire: pairs with the release of the thread that asks for a failure; others go on to ask who they are.
    return detail::faulting.load(std::memory_order_acquire) != nullptr && detail::is_allocation_to_fail();
}

}  // namespace tutti::mem
