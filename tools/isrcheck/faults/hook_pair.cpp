// SPDX-License-Identifier: BSD-3-Clause
// Two hooks side by side, which one instruction may set.
// EXPECT unmarked: handler -> report
#include "machine.hpp"

struct Hooks {
    void (*thread)();
    void (*interrupt)();
};
Hooks hooks = {};
NOINLINE ISR_SAFE void count() { something = 7; }
NOINLINE void report() { something = 8; }
ISR_SAFE void handler() {
    if (hooks.interrupt != nullptr) hooks.interrupt();
    harmless();
}
void thread_main() {
#if FAULT
    hooks = {.thread = count, .interrupt = report};
#else
    hooks = {.thread = report, .interrupt = count};
#endif
    if (hooks.thread != nullptr) hooks.thread();
}
