// SPDX-License-Identifier: BSD-3-Clause
// Switching kernel stacks as in the kernel. Sanitizers must be told of it (context_switch.cpp): then what switch_stacks()
// saves and loads is not the stack pointer but the address of a record beside it.
#pragma once

#if TUTTI_HOSTED_SANITIZER

extern "C" void switch_stacks(void** save, void* load);

namespace tutti::arch {
[[nodiscard]] void* prepare_stack(void* top, void (*entry)(void*), void* argument);
}

#else
#include "arch/raw_context_switch.hpp"
#endif
