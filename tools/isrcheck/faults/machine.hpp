// SPDX-License-Identifier: BSD-3-Clause
// The smallest kernel that the checker can read: each case is one (ARCH/machine.S has its entry). With FAULT 1 it breaks a
// rule, with FAULT 0 it comes as near to breaking it as can be without.
#pragma once

#include <stddef.h>

#include "base/isr_marks.hpp"
#include "instructions.hpp"

#define NOINLINE [[gnu::noinline]]

extern "C" {
void handler();      // every interrupt: the case's
void thread_main();  // not an interrupt: keeps code in the image, and is where things are registered
}

inline volatile int something = 0;

// What interrupts must not reach.
NOINLINE MAY_BLOCK inline void sleep_a_while() { something = something + 1; }
NOINLINE inline void unmarked() { something = something + 2; }
// What they may.
NOINLINE ISR_SAFE inline void harmless() { something = something + 3; }
