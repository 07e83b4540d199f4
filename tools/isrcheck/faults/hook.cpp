// SPDX-License-Identifier: BSD-3-Clause
// A hook: a variable that one function sets, whoever calls that.
// EXPECT unmarked: handler -> report
#include "machine.hpp"

void (*interrupt_hook)() = nullptr;
void (*thread_hook)() = nullptr;
NOINLINE ISR_SAFE void count() { something = 7; }
NOINLINE void report() { something = 8; }
NOINLINE void set_interrupt_hook(void (*hook)()) { interrupt_hook = hook; }
NOINLINE void set_thread_hook(void (*hook)()) { thread_hook = hook; }
ISR_SAFE void handler() {
    if (interrupt_hook != nullptr) interrupt_hook();
    harmless();
}
void thread_main() {
    set_interrupt_hook(count);
#if FAULT
    set_interrupt_hook(report);
#endif
    set_thread_hook(report);  // the same type, but another hook
    if (thread_hook != nullptr) thread_hook();
}
