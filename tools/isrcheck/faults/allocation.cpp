// SPDX-License-Identifier: BSD-3-Clause
// Memory from the heap.
// EXPECT allocation: handler -> enqueue -> allocate
#include "machine.hpp"

NOINLINE ALLOCATES void* allocate(size_t size) { something = static_cast<int>(size); return const_cast<int*>(&something); }
NOINLINE ISR_SAFE void release(void* memory) { something = memory != nullptr; }
NOINLINE ISR_SAFE void enqueue(int value) {
#if FAULT
    void* const memory = allocate(static_cast<size_t>(value));
    something = memory != nullptr;
#else
    release(const_cast<int*>(&something));
    something = value;
#endif
}
ISR_SAFE void handler() { enqueue(something); harmless(); }
void thread_main() { release(allocate(3)); }
