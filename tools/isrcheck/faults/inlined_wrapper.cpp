// SPDX-License-Identifier: BSD-3-Clause
// A wrapper that leaves no symbol: the report names it all the same.
// EXPECT unmarked: handler -> inlined wrapper -> unmarked
#include "machine.hpp"

[[gnu::always_inline]] inline void wrapper(int value) {
    something = value;
#if FAULT
    unmarked();
#else
    harmless();
#endif
    something = value + 1;
}
ISR_SAFE void handler() { wrapper(something); }
void thread_main() { unmarked(); }
