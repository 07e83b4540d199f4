// SPDX-License-Identifier: BSD-3-Clause
#include "machine.hpp"

namespace library {
ISR_SAFE void second(int value);
ISR_SAFE void first(int value);
NOINLINE void first(int value) { second(value + 1); something = 2; }
}  // namespace library
