// SPDX-License-Identifier: BSD-3-Clause
// Assembly that runs on from one label into the next.
// EXPECT may-block: handler -> first_label -> second_label -> sleep_a_while
#include "machine.hpp"

extern "C" void first_label();
asm(".pushsection .text.isr_safe.labels, \"ax\"\n"
    ".globl first_label\n"
    "first_label:\n"
    "  nop\n"
#if !FAULT
    "  ret\n"
#endif
    ".balign 16\n"
    "second_label:\n"
    "  " CALL "_Z13sleep_a_whilev\n"
    "  ret\n"
    ".popsection\n");
ISR_SAFE void handler() { first_label(); harmless(); }
void thread_main() { sleep_a_while(); }
