// SPDX-License-Identifier: BSD-3-Clause
// Through another compilation unit.
// EXPECT may-block: handler -> step -> sleep_a_while
#include "machine.hpp"

ISR_SAFE void step(int depth);
ISR_SAFE void handler() { step(1); harmless(); }
void thread_main() { sleep_a_while(); }
