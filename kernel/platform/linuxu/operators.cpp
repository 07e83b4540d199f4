// SPDX-License-Identifier: BSD-3-Clause
// The C++ operators new and delete of the process. The kernel allocates by the forms that do not throw; those are the
// kernel heap's. The deleting forms are shared with host code in the same process (a benchmark's peers), whose memory
// comes from the C library.
#include <stdlib.h>

#include <algorithm>
#include <new>

#include "hal/boot_info.hpp"
#include "arch/memory_layout.hpp"
#include "mem/heap/heap.hpp"

using tutti::mem::heap_allocate;

namespace {

void release(void* memory) {
    tutti::hal::BootInfo const& info = tutti::hal::boot_info();
    bool const is_kernels = !info.ram.empty() && info.ram.front().contains(tutti::arch::virt_to_phys(memory));
    if (is_kernels)
        tutti::mem::heap_free(memory);
    else
        free(memory);
}

}  // namespace

void* operator new(std::size_t size, std::nothrow_t const&) noexcept { return heap_allocate(size); }
void* operator new(std::size_t size, std::align_val_t alignment, std::nothrow_t const&) noexcept {
    return heap_allocate(size, std::max<std::size_t>(static_cast<std::size_t>(alignment), 16));
}
void* operator new[](std::size_t size, std::nothrow_t const&) noexcept { return heap_allocate(size); }
void* operator new[](std::size_t size, std::align_val_t alignment, std::nothrow_t const& tag) noexcept {
    return operator new(size, alignment, tag);
}
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
