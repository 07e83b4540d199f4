// SPDX-License-Identifier: BSD-3-Clause
// An end of the machine that returns.
// EXPECT boundary: handler -> die
#include "machine.hpp"

#if FAULT
NOINLINE void die(int code) {
    ISR_NOTE("ends-machine", "a bug was found");
    something = code;
    sleep_a_while();
}
#else
[[noreturn]] NOINLINE void die(int code) {
    ISR_NOTE("ends-machine", "a bug was found");
    something = code;
    sleep_a_while();
    for (;;) halt();
}
#endif
ISR_SAFE void handler() {
    if (something == 9) die(something);
    harmless();
}
void thread_main() {}
