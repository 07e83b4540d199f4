// SPDX-License-Identifier: BSD-3-Clause
// Kernel stacks with a guard page below each. Addresses are handed out once; a stack whose thread has ended is kept,
// mapped, for the next thread.
// Context: up to NoPreempt; never blocks.
#pragma once

#include "arch/memory_layout.hpp"
#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti::mem {

// Boot CPU, before the first stack.
void kernel_stacks_init();

// A stack of arch::kKernelStackSize bytes with an unmapped page below it. Error::NoMemory.
class KernelStack {
  public:
    [[nodiscard]] static Result<KernelStack> create();

    KernelStack() = default;
    KernelStack(KernelStack&& other) noexcept;
    KernelStack& operator=(KernelStack&& other) noexcept;
    ~KernelStack();  // nobody runs on it any more

    // One past the highest byte; 16-byte aligned.
    [[nodiscard]] void* top() const { return static_cast<char*>(bottom_) + arch::kKernelStackSize; }
    [[nodiscard]] void* bottom() const { return bottom_; }
    explicit operator bool() const { return bottom_ != nullptr; }

  private:
    void* bottom_ = nullptr;
};

// True when `address` lies in the guard page of some kernel stack: the mark of a stack overflow.
[[nodiscard]] bool is_stack_guard(VirtAddr address);

// Puts writable memory at [bottom, bottom + arch::kKernelStackSize), for good; the page below stays unmapped. By what
// makes kernel mappings on this machine: mem/paging/kernel_map.cpp, or a platform without page tables of its own.
[[nodiscard]] Result<> back_kernel_stack(VirtAddr bottom);

}  // namespace tutti::mem
