// SPDX-License-Identifier: BSD-3-Clause
// Source: Xen, public/memory.h (add_to_physmap), public/xen.h.
#include "platform/xen/shared_info.hpp"

#include "arch/cpu.hpp"
#include "arch/memory_layout.hpp"
#include "base/assert.hpp"
#include "platform/startup/boot_allocator.hpp"
#include "platform/xen/hypercalls.hpp"

namespace tutti::platform::xen {
namespace {

constinit SharedInfo* page = nullptr;

constexpr u64 kAddToPhysmap = 7;
constexpr u16 kSelf = 0x7ff0;
struct AddToPhysmap {
    u16 domain;
    u16 size;
    u32 space;  // 0: the shared page
    u64 index;
    u64 frame;
};

}  // namespace

void shared_info_init() {
    // It takes the place of a page of RAM, which Xen gets back.
    void* const place = boot_allocate(kPageSize, kPageSize);
    AddToPhysmap request{kSelf, 0, 0, 0, FrameNumber::of(arch::virt_to_phys(place)).value()};
    i64 const result = xen_memory_op(kAddToPhysmap, &request);
    CHECK(result == 0, "Xen does not give the shared page: error {}", result);
    page = static_cast<SharedInfo*>(place);
}

ISR_SAFE SharedInfo* shared_info() { return page; }

}  // namespace tutti::platform::xen
