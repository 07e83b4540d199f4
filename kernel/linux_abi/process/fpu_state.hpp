// SPDX-License-Identifier: BSD-3-Clause
// A program thread's floating-point and vector state, in the architecture's format (arch/fpu.hpp).
//
// While the thread runs, the CPU's registers are the truth; switch-out saves them here, switch-in loads them. Kernel
// code does not touch these registers, so a system call sees the program's values in place.
#pragma once

#include <span>

#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti::linux_abi {

class FpuState {
  public:
    FpuState() = default;
    FpuState(FpuState const&) = delete;
    FpuState& operator=(FpuState const&) = delete;
    ~FpuState();

    // Allocates the area, in its initial state. Error::NoMemory.
    Result<> create();

    // Scheduler hooks: interrupts off or preemption off, this thread's.
    void save_at_switch();
    void load_at_switch();

    // Thread context, the calling thread's own state.
    void save_current();  // registers -> bytes()
    void load_current();  // bytes() -> registers
    void reset();         // the state of a new program
    // Replaces the state by `length` bytes of the program's memory, made safe to load. Error::BadAddress.
    Result<> load_from_user(VirtAddr from, u64 length);
    // Starts as a copy of the calling thread's registers (clone).
    Result<> create_copy_of_current();

    [[nodiscard]] void const* bytes() const { return area_; }
    [[nodiscard]] u64 size() const;

  private:
    u8* area_ = nullptr;
};

}  // namespace tutti::linux_abi
