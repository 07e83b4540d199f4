// SPDX-License-Identifier: BSD-3-Clause
// One case of a switch that is compiled to a table.
// EXPECT unmarked: handler -> unmarked
#include "machine.hpp"

NOINLINE ISR_SAFE void act(int value) { something = value * 3; }
ISR_SAFE void handler() {
    switch (something) {
        case 0: act(5); break;
        case 1: harmless(); break;
        case 2: act(9); something = 2; break;
        case 3: something = something * 5; break;
        case 4:
#if FAULT
            unmarked();
#else
            harmless();
#endif
            something = 1;
            break;
        case 5: act(something); break;
        case 6: harmless(); act(1); break;
        case 7: something = 77; break;
        default: break;
    }
}
void thread_main() { unmarked(); }
