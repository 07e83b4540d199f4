// SPDX-License-Identifier: BSD-3-Clause
// Exceptions of the program become signals.
#pragma once

#include "arch/trap_frame.hpp"
#include "base/types.hpp"

namespace tutti::linux_abi {

// Registered with the trap code for faults in user mode that nothing resolved. For a page fault `address` is the
// faulting address. Thread context, interrupts on. The signal is taken on the way back to the program.
void handle_user_exception(arch::TrapFrame& frame, unsigned vector, VirtAddr address);

}  // namespace tutti::linux_abi
