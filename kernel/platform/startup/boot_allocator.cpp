// SPDX-License-Identifier: BSD-3-Clause
#include "platform/startup/boot_allocator.hpp"

#include <algorithm>
#include <cstring>

#include "arch/memory_layout.hpp"
#include "base/assert.hpp"
#include "base/bits.hpp"
#include "platform/startup/boot_info.hpp"

namespace tutti::platform {
namespace {

constinit PhysRange arena{};
constinit PhysRange taken{};  // the arena's top
constinit bool finished = false;

}  // namespace

void boot_allocator_init(PhysRange piece) {
    arena = piece;
    taken = {piece.end(), 0};
}

void* boot_allocate(u64 size, u64 alignment) {
    CHECK(!finished, "boot allocation after the frame allocator took over");
    u64 const base = align_down(taken.base.value() - size, std::max(alignment, kPageSize));
    CHECK(size < arena.size && base >= arena.base.value(), "out of memory at boot: give the machine more memory");
    taken = {PhysAddr{base}, taken.end().value() - base};
    void* const memory = arch::phys_to_virt(PhysAddr{base});
    std::memset(memory, 0, size);
    return memory;
}

void boot_allocator_finish() {
    finished = true;
    add_reserved(taken);
}

}  // namespace tutti::platform
