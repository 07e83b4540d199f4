// SPDX-License-Identifier: BSD-3-Clause
// A pointer in an object: any function of its type whose address is taken.
// EXPECT unmarked: handler -> careless
#include "machine.hpp"

struct Device {
    void (*callback)(int);
};
Device devices[4];
NOINLINE ISR_SAFE void careful(int value) { something = value; }
NOINLINE void careless(int value) { something = value + 1; }
NOINLINE void other_type(long value) { something = static_cast<int>(value); }
void (*volatile thread_callback)(long);
NOINLINE void add(int at, void (*callback)(int)) { devices[at].callback = callback; }
ISR_SAFE void handler() { devices[something & 3].callback(something); }
void thread_main() {
    add(something, careful);
#if FAULT
    add(something, careless);
#endif
    careless(1);
    thread_callback = other_type;  // of another type: may do what it likes
    thread_callback(1);
}
