// SPDX-License-Identifier: BSD-3-Clause
// A function that need not be there: its address comes through a table of the linker's on some machines.
// EXPECT unmarked: handler -> optional
#include "machine.hpp"

using Callback = void (*)(int);
[[gnu::weak]] void optional(int value);
NOINLINE ISR_SAFE void careful(int value) { something = value; }
Callback volatile callbacks[4];
ISR_SAFE void handler() {
    callbacks[something & 3](something);
    harmless();
}
void thread_main() {
    callbacks[0] = careful;
    if (&optional != nullptr) callbacks[1] = optional;
}
