// SPDX-License-Identifier: BSD-3-Clause
#include "mem/allocation_fault.hpp"

#include "base/assert.hpp"
#include "smp/context/preempt.hpp"

namespace tutti::mem {

namespace {
// relaxed everywhere: published by `faulting`; `left` is the one thread's own.
constinit std::atomic<AllocationFault::Identity> identity_of_caller{nullptr};
constinit std::atomic<u32> left{0};
}  // namespace

namespace detail {

constinit std::atomic<void const*> faulting{nullptr};

bool is_allocation_to_fail() {
    AllocationFault::Identity const identity = identity_of_caller.load(std::memory_order_relaxed);
    // An interrupt handler that allocates on top of the thread is somebody else.
    if (smp::in_isr() || identity() != faulting.load(std::memory_order_relaxed)) return false;
    u32 const count = left.load(std::memory_order_relaxed);
    if (count == 0) return false;
    left.store(count - 1, std::memory_order_relaxed);
    return count == 1;
}

}  // namespace detail

AllocationFault::AllocationFault(u32 nth, Identity identity) {
    CHECK(nth != 0 && detail::faulting.load(std::memory_order_relaxed) == nullptr, "one allocation fault at a time");
    left.store(nth, std::memory_order_relaxed);
    identity_of_caller.store(identity, std::memory_order_relaxed);
    // release: pairs with the acquire in allocation_fails(), on any CPU.
    detail::faulting.store(identity(), std::memory_order_release);
}
AllocationFault::~AllocationFault() { detail::faulting.store(nullptr, std::memory_order_relaxed); }
bool AllocationFault::happened() const { return kDebugBuild && left.load(std::memory_order_relaxed) == 0; }

}  // namespace tutti::mem
