// SPDX-License-Identifier: BSD-3-Clause
// A lock, even the right form, in a non-maskable interrupt.
// EXPECT lock: handler -> nmi -> record -> inlined lock
#include "machine.hpp"

[[gnu::always_inline]] inline void lock() { ISR_NOTE("irq-lock", "interrupts off"); something = 1; }
NOINLINE ISR_SAFE void record() {
#if FAULT
    lock();
#endif
    something = 2;
}
NOINLINE ISR_SAFE void nmi() {
    ISR_NOTE("nmi", "stacks of its own");
    record();
    something = 4;
}
NOINLINE ISR_SAFE void interrupt() { lock(); something = 3; }
ISR_SAFE void handler() { something == 2 ? nmi() : interrupt(); harmless(); }
void thread_main() { lock(); }
