// SPDX-License-Identifier: BSD-3-Clause
// A function without a mark, called directly.
// EXPECT unmarked: handler -> helper
#include "machine.hpp"

#if FAULT
NOINLINE void helper() { something = 1; }
#else
NOINLINE ISR_SAFE void helper() { something = 1; }
#endif
ISR_SAFE void handler() { helper(); harmless(); }
void thread_main() { unmarked(); }
