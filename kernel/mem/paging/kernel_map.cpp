// SPDX-License-Identifier: BSD-3-Clause
#include "mem/paging/kernel_map.hpp"

#include <atomic>
#include <iterator>

#include "arch/memory_layout.hpp"
#include "base/bits.hpp"
#include "mem/paging/page_table.hpp"
#include "mem/stack/kernel_stack.hpp"

namespace tutti::mem {
namespace {

constinit PageTable kernel_table;
constinit std::atomic<u64> next_device{arch::kKernelStacksEnd};

Result<> map_page(u64 address, PhysAddr physical, arch::PagePermissions permissions, bool owned) {
    PageTable::Entry* const entry = TRY(kernel_table.slot(VirtAddr{address}));
    u64 bits = arch::PageEntry::leaf(physical, permissions).bits();
    if (!owned) bits &= ~arch::PageEntry::kMapped;
    // release: the page's contents come before its translation. Not present before, so nothing is cached.
    entry->store(bits, std::memory_order_release);
    return {};
}

}  // namespace

void kernel_map_init() { kernel_table = PageTable::kernel(); }

Result<> back_kernel_stack(VirtAddr bottom) {
    // A failure half-way loses address space, not memory: the pages mapped so far are put with the addresses.
    FrameRef pages[arch::kKernelStackSize / kPageSize];
    for (FrameRef& page : pages) page = TRY(allocate_frame());
    for (size_t i = 0; i < std::size(pages); ++i)
        TRY(map_page(bottom.value() + kPageSize * i, pages[i]->address(), {.write = true}, true));
    arch::publish_entries();
    for (FrameRef& page : pages) (void)page.leak();
    return {};
}

Result<void*> map_device(PhysAddr address, u64 size) {
    u64 const first = address.page_base().value();
    u64 const bytes = align_up(address.value() + size, kPageSize) - first;
    u64 const base = next_device.fetch_add(bytes, std::memory_order_relaxed);
    if (bytes > arch::kKernelMapEnd - arch::kKernelStacksEnd || base + bytes > arch::kKernelMapEnd) return fail(Error::NoMemory);
    for (u64 offset = 0; offset < bytes; offset += kPageSize)
        TRY(map_page(base + offset, PhysAddr{first + offset}, {.write = true, .device = true}, false));
    arch::publish_entries();
    return reinterpret_cast<void*>(base + address.page_offset());
}

}  // namespace tutti::mem
