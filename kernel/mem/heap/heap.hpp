// SPDX-License-Identifier: BSD-3-Clause
// Kernel memory of any size, behind an interface whose back end is chosen once at boot.
//
// The C++ operators new and delete come here (operators.cpp). Every function may be called in any context up to Isr; none
// blocks or faults.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti::mem {

struct HeapStatistics {
    u64 bytes_in_use = 0;    // as asked for, rounded up to what was given
    u64 bytes_reserved = 0;  // taken from the frame allocator
};

class HeapBackend {
  public:
    // `alignment` is a power of two, at most a page. Null when out of memory. Size 0 gives a unique pointer.
    [[nodiscard]] virtual void* allocate(size_t size, size_t alignment) = 0;
    virtual void free(void* memory) = 0;
    // Bytes that the caller may use at `memory`; at least what was asked for.
    [[nodiscard]] virtual size_t usable_size(void const* memory) const = 0;
    [[nodiscard]] virtual HeapStatistics statistics() const = 0;
    [[nodiscard]] virtual std::string_view name() const = 0;

  protected:
    ~HeapBackend() = default;
};

// Chooses the back end ("slab"; empty: the default). Error::NotFound for a name that we do not have.
[[nodiscard]] Result<> heap_init(std::string_view backend);

[[nodiscard]] void* heap_allocate(size_t size, size_t alignment = 16);
void heap_free(void* memory);  // null is fine
// Contents up to the smaller size are kept; on failure (null) the old block stays valid.
[[nodiscard]] void* heap_reallocate(void* memory, size_t size);
[[nodiscard]] HeapStatistics heap_statistics();

}  // namespace tutti::mem
