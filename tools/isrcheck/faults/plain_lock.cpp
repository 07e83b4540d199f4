// SPDX-License-Identifier: BSD-3-Clause
// A lock taken without the form that has interrupts off, by a guard that is inlined.
// EXPECT lock: handler -> count -> inlined Guard<Plain>::Guard -> inlined Plain::lock
#include "machine.hpp"

struct Plain {
    [[gnu::always_inline]] static void lock() { ISR_NOTE("plain-lock", "preemption off"); something = 1; }
};
struct IrqOff {
    [[gnu::always_inline]] static void lock() { ISR_NOTE("irq-lock", "interrupts off"); something = 1; }
};
template <class Form>
struct Guard {
    [[gnu::always_inline]] Guard() { Form::lock(); }
    [[gnu::always_inline]] ~Guard() { something = 0; }
};
NOINLINE ISR_SAFE void count() {
#if FAULT
    Guard<Plain> const guard;
#else
    Guard<IrqOff> const guard;
#endif
    something = 2;
}
ISR_SAFE void handler() { count(); harmless(); }
void thread_main() { Guard<Plain> const guard; }
