// SPDX-License-Identifier: BSD-3-Clause
// The simulated machine has no user mode.
#pragma once

#include "arch/percpu.hpp"
#include "arch/trap_frame.hpp"

extern "C" {
extern tutti::u32 exit_work;
}

namespace tutti::arch {

inline void set_kernel_stack(void*) {}

}  // namespace tutti::arch
