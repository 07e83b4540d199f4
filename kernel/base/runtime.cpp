// SPDX-License-Identifier: BSD-3-Clause
// What the C++ language needs from a freestanding runtime and the header-only libstdc++ refers to.
#include <new>

#include "base/assert.hpp"

namespace std {
nothrow_t const nothrow{};
}

extern "C" {
void* __dso_handle = nullptr;
[[noreturn]] void __cxa_pure_virtual() { panic("pure virtual function called"); }
// Objects with static storage live as long as the kernel: their destructors never run.
int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }
[[noreturn]] void abort() { panic("abort called"); }
}
