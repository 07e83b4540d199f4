// SPDX-License-Identifier: BSD-3-Clause
// A lambda given to a template.
// EXPECT may-block: handler -> for_each<handler::$_0> -> handler::$_0::operator() -> sleep_a_while
#include "machine.hpp"

template <class Visit>
NOINLINE ISR_SAFE void for_each(int count, Visit visit) {
    for (int i = 0; i < count; ++i) visit(i);
    something = count;
}
ISR_SAFE void handler() {
    for_each(something, [](int value) ISR_SAFE_LAMBDA {
        something = value;
#if FAULT
        sleep_a_while();
        something = value + 1;
#endif
    });
    harmless();
}
void thread_main() {
    for_each(something, [](int) { sleep_a_while(); });
}
