// SPDX-License-Identifier: BSD-3-Clause
#include "mem/stack/kernel_stack.hpp"

#include <atomic>
#include <utility>

#include "hal/hooks.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::mem {
namespace {

constexpr u64 kStackSpan = arch::kKernelStackSize + kPageSize;  // guard page first

constinit std::atomic<u64> next_stack{arch::kKernelMapBase};

// Stacks without a thread, linked through their lowest word. Thread creation and exit meet here; the lock is held for
// two loads and a store.
constinit smp::SpinLock free_lock{smp::LockRank::KernelMap, "free kernel stacks"};
constinit void* free_stacks GUARDED_BY(free_lock) = nullptr;

}  // namespace

void kernel_stacks_init() { hal::hooks.is_stack_guard = is_stack_guard; }

Result<KernelStack> KernelStack::create() {
    KernelStack stack;
    {
        smp::SpinIrqGuard guard{free_lock};
        if (free_stacks != nullptr) {
            stack.bottom_ = free_stacks;
            free_stacks = *static_cast<void**>(free_stacks);
            return stack;
        }
    }
    // relaxed: only uniqueness matters.
    u64 const span = next_stack.fetch_add(kStackSpan, std::memory_order_relaxed);
    if (span + kStackSpan > arch::kKernelStacksEnd) return fail(Error::NoMemory);
    TRY(back_kernel_stack(VirtAddr{span + kPageSize}));
    stack.bottom_ = reinterpret_cast<void*>(span + kPageSize);
    return stack;
}

KernelStack::KernelStack(KernelStack&& other) noexcept : bottom_{std::exchange(other.bottom_, nullptr)} {}
KernelStack& KernelStack::operator=(KernelStack&& other) noexcept {
    std::swap(bottom_, other.bottom_);
    return *this;
}
KernelStack::~KernelStack() {
    if (bottom_ == nullptr) return;
    smp::SpinIrqGuard guard{free_lock};
    *static_cast<void**>(bottom_) = free_stacks;
    free_stacks = bottom_;
}

ISR_SAFE bool is_stack_guard(VirtAddr address) {
    u64 const at = address.value();
    if (at < arch::kKernelMapBase || at >= next_stack.load(std::memory_order_relaxed)) return false;
    return (at - arch::kKernelMapBase) % kStackSpan < kPageSize;
}

}  // namespace tutti::mem
