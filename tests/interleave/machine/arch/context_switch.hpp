// SPDX-License-Identifier: BSD-3-Clause
// Stacks on the simulated machine: its threads stay on their CPU's stack, so nothing is ever switched to.
#pragma once

#include "arch/cpu.hpp"

namespace tutti::arch {

[[nodiscard]] inline void* prepare_stack(void*, void (*)(void*), void*) {
    interleave::fail("machine", "the simulated machine makes no threads with stacks of their own");
}

}  // namespace tutti::arch
