// SPDX-License-Identifier: BSD-3-Clause
#include "mem/heap/heap.hpp"

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"
#include "mem/allocation_fault.hpp"
#include "mem/heap/slab_heap.hpp"

namespace tutti::mem {
namespace {
constinit HeapBackend* backend = nullptr;
}

Result<> heap_init(std::string_view name) {
    if (name.empty() || name == slab_heap().name()) {
        backend = &slab_heap();
        return {};
    }
    return fail(Error::NotFound);
}

ALLOCATES void* heap_allocate(size_t size, size_t alignment) {
    ASSERT(backend != nullptr, "allocation before heap_init");
    if (allocation_fails()) return nullptr;
    return backend->allocate(size, alignment);
}
void heap_free(void* memory) {
    if (memory != nullptr) backend->free(memory);
}
void* heap_reallocate(void* memory, size_t size) {
    if (memory == nullptr) return heap_allocate(size);
    size_t const usable = backend->usable_size(memory);
    if (size <= usable && size >= usable / 2) return memory;
    void* const moved = heap_allocate(size);
    if (moved == nullptr) return nullptr;
    std::memcpy(moved, memory, std::min(usable, size));
    heap_free(memory);
    return moved;
}
HeapStatistics heap_statistics() { return backend->statistics(); }

}  // namespace tutti::mem
