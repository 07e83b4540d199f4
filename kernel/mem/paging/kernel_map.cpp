// SPDX-License-Identifier: BSD-3-Clause
#include "mem/paging/kernel_map.hpp"

#include <atomic>
#include <utility>

#include "base/bits.hpp"
#include "hal/hooks.hpp"
#include "hal/memory_layout.hpp"
#include "mem/paging/page_table.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::mem {
namespace {

constexpr u64 kStackSpan = kKernelStackSize + kPageSize;  // guard page first
// Stacks grow from the start of the kernel map, device mappings from its middle.
constexpr u64 kDeviceBase = hal::kKernelMapBase + (hal::kKernelMapEnd - hal::kKernelMapBase) / 2;

constinit PageTable kernel_table;
constinit std::atomic<u64> next_stack{hal::kKernelMapBase};
constinit std::atomic<u64> next_device{kDeviceBase};

// Stacks without a thread, linked through their lowest word. Thread creation and exit meet here; the lock is held for
// two loads and a store.
constinit smp::SpinLock free_lock{smp::LockRank::KernelMap, "free kernel stacks"};
constinit void* free_stacks GUARDED_BY(free_lock) = nullptr;

Result<> map_page(u64 address, PhysAddr physical, arch::PagePermissions permissions, bool owned) {
    PageTable::Entry* const entry = TRY(kernel_table.slot(VirtAddr{address}));
    u64 bits = arch::PageEntry::leaf(physical, permissions).bits();
    if (!owned) bits &= ~arch::PageEntry::kMapped;
    // release: the page's contents come before its translation. Not present before, so nothing is cached.
    entry->store(bits, std::memory_order_release);
    return {};
}

}  // namespace

void kernel_map_init() {
    kernel_table = PageTable::kernel();
    hal::hooks.is_stack_guard = is_stack_guard;
}

Result<KernelStack> KernelStack::create() {
    KernelStack stack;
    {
        smp::SpinIrqGuard guard{free_lock};
        if (free_stacks != nullptr) {
            stack.bottom_ = free_stacks;
            free_stacks = *static_cast<void**>(free_stacks);
            return stack;
        }
    }
    // relaxed: only uniqueness matters.
    u64 const span = next_stack.fetch_add(kStackSpan, std::memory_order_relaxed);
    if (span + kStackSpan > kDeviceBase) return fail(Error::NoMemory);
    // A failure half-way loses address space, not memory: the pages mapped so far are put with the addresses.
    FrameRef pages[kKernelStackSize / kPageSize];
    for (FrameRef& page : pages) page = TRY(allocate_frame());
    for (size_t i = 0; i < std::size(pages); ++i) {
        TRY(map_page(span + kPageSize * (i + 1), pages[i]->address(), {.write = true}, true));
    }
    for (FrameRef& page : pages) (void)page.leak();
    stack.bottom_ = reinterpret_cast<void*>(span + kPageSize);
    return stack;
}

KernelStack::KernelStack(KernelStack&& other) noexcept : bottom_{std::exchange(other.bottom_, nullptr)} {}
KernelStack& KernelStack::operator=(KernelStack&& other) noexcept {
    std::swap(bottom_, other.bottom_);
    return *this;
}
KernelStack::~KernelStack() {
    if (bottom_ == nullptr) return;
    smp::SpinIrqGuard guard{free_lock};
    *static_cast<void**>(bottom_) = free_stacks;
    free_stacks = bottom_;
}

bool is_stack_guard(VirtAddr address) {
    u64 const at = address.value();
    if (at < hal::kKernelMapBase || at >= next_stack.load(std::memory_order_relaxed)) return false;
    return (at - hal::kKernelMapBase) % kStackSpan < kPageSize;
}

Result<void*> map_device(PhysAddr address, u64 size) {
    u64 const first = address.page_base().value();
    u64 const bytes = align_up(address.value() + size, kPageSize) - first;
    u64 const base = next_device.fetch_add(bytes, std::memory_order_relaxed);
    if (bytes > hal::kKernelMapEnd - kDeviceBase || base + bytes > hal::kKernelMapEnd) return fail(Error::NoMemory);
    for (u64 offset = 0; offset < bytes; offset += kPageSize)
        TRY(map_page(base + offset, PhysAddr{first + offset}, {.write = true, .device = true}, false));
    return reinterpret_cast<void*>(base + address.page_offset());
}

}  // namespace tutti::mem
