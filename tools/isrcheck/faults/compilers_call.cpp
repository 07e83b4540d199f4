// SPDX-License-Identifier: BSD-3-Clause
// A call that only the compiler wrote.
// EXPECT unmarked: handler -> memcpy
#include "machine.hpp"

#if FAULT
extern "C" NOINLINE void* memcpy(void* to, void const* from, size_t size) {
#else
extern "C" NOINLINE ISR_SAFE void* memcpy(void* to, void const* from, size_t size) {
#endif
    auto* out = static_cast<char volatile*>(to);
    auto const* in = static_cast<char const volatile*>(from);
    while (size-- != 0) *out++ = *in++;
    return to;
}
struct Big {
    char bytes[4096];
};
Big from;
Big to;
ISR_SAFE void handler() {
    to = from;
    harmless();
}
void thread_main() { from = to; }
