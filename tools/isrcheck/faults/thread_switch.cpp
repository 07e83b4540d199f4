// SPDX-License-Identifier: BSD-3-Clause
// A switch of threads before the handler is over.
// EXPECT switch: handler -> count -> inlined reschedule
#include "machine.hpp"

[[gnu::always_inline]] inline void reschedule() {
    ISR_NOTE("switches-threads", "another thread runs");
    something = 1;
}
NOINLINE ISR_SAFE void count() {
#if FAULT
    reschedule();
#endif
    something = 3;
}
NOINLINE ISR_SAFE void leave() {
    ISR_NOTE("interrupt-end", "the handler has returned");
    reschedule();
}
ISR_SAFE void handler() { count(); leave(); harmless(); }
void thread_main() { reschedule(); }
