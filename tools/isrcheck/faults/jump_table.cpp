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
        case 8: something = something / 3; break;
        case 9: act(something + 1); something = 8; break;
        case 10: harmless(); harmless(); break;
        case 11: something = -something; break;
        case 12: act(12); act(13); break;
        case 13: something = something | 5; break;
        case 14: act(something ^ 3); break;
        case 15: harmless(); something = 6; break;
        case 16: something = something >> 2; break;
        default: break;
    }
}
void thread_main() { unmarked(); }
