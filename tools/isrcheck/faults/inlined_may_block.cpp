// SPDX-License-Identifier: BSD-3-Clause
// A function that may block, inlined until nothing of it is left but its note.
// EXPECT may-block: handler -> count -> inlined wait
#include "machine.hpp"

[[gnu::always_inline]] inline void wait() {
    ISR_NOTE("may-block", "might_sleep()");
    something = 5;
}
NOINLINE ISR_SAFE void count() {
#if FAULT
    wait();
#endif
    something = 6;
}
ISR_SAFE void handler() { count(); harmless(); }
void thread_main() { wait(); }
