// SPDX-License-Identifier: BSD-3-Clause
// A lambda without a mark, registered as a callback.
// EXPECT unmarked: handler -> thread_main::$_0::__invoke
#include "machine.hpp"

void (*callback)(int) = nullptr;
NOINLINE void set_callback(void (*function)(int)) { callback = function; }
ISR_SAFE void handler() { callback(something); harmless(); }
void thread_main() {
#if FAULT
    set_callback([](int value) { something = value * 3; });
#else
    set_callback([](int value) ISR_SAFE_LAMBDA { something = value * 3; });
#endif
}
