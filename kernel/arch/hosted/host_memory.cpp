// SPDX-License-Identifier: BSD-3-Clause
#include "arch/host_memory.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <atomic>

#include "arch/host_call.hpp"
#include "arch/memory_layout.hpp"
#include "base/assert.hpp"
#include "base/bits.hpp"

namespace tutti::arch {

u64 host_memory(u64 size) {
    static constinit std::atomic<u64> next{kHostMemoryBase};
    u64 const length = align_up(size, kPageSize);
    // relaxed: only the sum counts. A page between two, so that running over the end is seen.
    u64 const at = next.fetch_add(length + kPageSize, std::memory_order_relaxed);
    i64 const result =
        host_call(SYS_mmap, at, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, ~u64{0}, 0);
    CHECK(result == static_cast<i64>(at), "no {} KiB of the host's memory at {:#x}: {}", length >> 10, at, result);
    return at;
}

}  // namespace tutti::arch
