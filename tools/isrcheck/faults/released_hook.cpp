// SPDX-License-Identifier: BSD-3-Clause
// A hook that is published: stored with release, loaded with acquire.
// EXPECT unmarked: handler -> report
#include "machine.hpp"

using Hook = void (*)();
Hook interrupt_hook = nullptr;
Hook thread_hook = nullptr;
NOINLINE ISR_SAFE void count() { something = 7; }
NOINLINE void report() { something = 8; }
NOINLINE void publish(Hook hook) { __atomic_store_n(&interrupt_hook, hook, __ATOMIC_RELEASE); }
ISR_SAFE void handler() {
    if (Hook const hook = __atomic_load_n(&interrupt_hook, __ATOMIC_ACQUIRE)) hook();
    harmless();
}
void thread_main() {
    publish(count);
#if FAULT
    publish(report);
#endif
    thread_hook = report;
    if (thread_hook != nullptr) thread_hook();
}
