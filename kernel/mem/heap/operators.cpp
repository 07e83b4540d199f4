// SPDX-License-Identifier: BSD-3-Clause
// The C++ operators new and delete of a kernel image.
#include <algorithm>
#include <new>

#include "mem/heap/heap.hpp"

using tutti::mem::heap_allocate;
using tutti::mem::heap_free;

ALLOCATES void* operator new(std::size_t size, std::nothrow_t const&) noexcept { return heap_allocate(size); }
ALLOCATES void* operator new(std::size_t size, std::align_val_t alignment, std::nothrow_t const&) noexcept {
    return heap_allocate(size, std::max<std::size_t>(static_cast<std::size_t>(alignment), 16));
}
ALLOCATES void* operator new[](std::size_t size, std::nothrow_t const&) noexcept { return heap_allocate(size); }
ALLOCATES void* operator new[](std::size_t size, std::align_val_t alignment, std::nothrow_t const& tag) noexcept {
    return operator new(size, alignment, tag);
}
void operator delete[](void* memory) noexcept { heap_free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { heap_free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { heap_free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { heap_free(memory); }
void operator delete(void* memory) noexcept { heap_free(memory); }
void operator delete(void* memory, std::size_t) noexcept { heap_free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { heap_free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { heap_free(memory); }
