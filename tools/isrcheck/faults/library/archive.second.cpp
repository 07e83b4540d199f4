// SPDX-License-Identifier: BSD-3-Clause
#include "machine.hpp"

namespace library {
ISR_SAFE void second(int value);
NOINLINE void second(int value) {
    something = value;
#if FAULT
    sleep_a_while();
#endif
    something = 2;
}
}  // namespace library
