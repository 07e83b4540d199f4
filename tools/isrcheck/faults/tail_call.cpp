// SPDX-License-Identifier: BSD-3-Clause
// A call that is a jump.
// EXPECT may-block: handler -> last -> sleep_a_while
#include "machine.hpp"

NOINLINE ISR_SAFE void last() {
    something = 1;
#if FAULT
    return sleep_a_while();
#else
    return harmless();
#endif
}
ISR_SAFE void handler() { return last(); }
void thread_main() { return sleep_a_while(); }
