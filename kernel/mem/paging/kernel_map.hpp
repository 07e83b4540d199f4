// SPDX-License-Identifier: BSD-3-Clause
// Kernel addresses outside the direct map: guarded stacks and device registers.
//
// Address ranges are handed out once and never unmapped: stacks are kept for the next thread, devices stay. So no
// kernel mapping ever needs a TLB shootdown, and a stack is ready without touching page tables.
// Context: up to NoPreempt; never blocks.
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti::mem {

inline constexpr u64 kKernelStackSize = 16384;

// Boot CPU, after frame_init().
void kernel_map_init();

// A stack of kKernelStackSize bytes with an unmapped page below it. Error::NoMemory.
class KernelStack {
  public:
    [[nodiscard]] static Result<KernelStack> create();

    KernelStack() = default;
    KernelStack(KernelStack&& other) noexcept;
    KernelStack& operator=(KernelStack&& other) noexcept;
    ~KernelStack();  // nobody runs on it any more

    // One past the highest byte; 16-byte aligned.
    [[nodiscard]] void* top() const { return static_cast<char*>(bottom_) + kKernelStackSize; }
    [[nodiscard]] void* bottom() const { return bottom_; }
    explicit operator bool() const { return bottom_ != nullptr; }

  private:
    void* bottom_ = nullptr;
};

// True when `address` lies in the guard page of some kernel stack: the mark of a stack overflow.
[[nodiscard]] bool is_stack_guard(VirtAddr address);

// Maps device registers, uncached, for good. Any alignment; Error::NoMemory.
[[nodiscard]] Result<void*> map_device(PhysAddr address, u64 size);

}  // namespace tutti::mem
