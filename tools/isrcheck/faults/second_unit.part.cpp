// SPDX-License-Identifier: BSD-3-Clause
#include "machine.hpp"

ISR_SAFE void step(int depth);
NOINLINE void step(int depth) {
#if FAULT
    if (depth > 1) sleep_a_while();
#else
    if (depth > 1) harmless();
#endif
    something = depth;
}
