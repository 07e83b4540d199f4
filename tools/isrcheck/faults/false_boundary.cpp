// SPDX-License-Identifier: BSD-3-Clause
// A boundary that does not keep its word.
// EXPECT boundary: handler -> finish
#include "machine.hpp"

NOINLINE void finish() {
    ISR_NOTE("thread-rung", "only with interrupts on");
#if FAULT
    unmarked();
#endif
    if (!interrupts_enabled()) return;
    sleep_a_while();
    something = 1;
}
ISR_SAFE void handler() { finish(); harmless(); }
void thread_main() { finish(); }
