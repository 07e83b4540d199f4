// SPDX-License-Identifier: BSD-3-Clause
#include "machine.hpp"

#if FAULT
void optional(int value);
#else
ISR_SAFE void optional(int value);
#endif
NOINLINE void optional(int value) { something = value; }
