// SPDX-License-Identifier: BSD-3-Clause
// The address of a function as a constant of assembly, which may lie among instructions.
// EXPECT unmarked: handler -> careless
#include "machine.hpp"

using Callback = void (*)(int);
Callback volatile callbacks[4];
NOINLINE ISR_SAFE void careful(int value) { something = value; }
NOINLINE void careless(int value) { something = value + 1; }
ISR_SAFE void handler() {
    callbacks[something & 3](something);
    harmless();
}
void thread_main() {
    Callback callback;
#if FAULT
    asm volatile(LOAD_ADDRESS("_Z8carelessi") : "=r"(callback));
#else
    asm volatile(LOAD_ADDRESS("_Z7carefuli") : "=r"(callback));
#endif
    callbacks[something & 3] = callback;
    careful(1);
    careless(2);
}
