// SPDX-License-Identifier: BSD-3-Clause
// Pages that an object gives up leave every address space that maps them.
#include <algorithm>

#include "base/intrusive_list.hpp"
#include "smp/spin/spin.hpp"
#include "vm/address_space.hpp"

namespace tutti::vm {

struct AddressSpace::Live {
    static inline constinit smp::SpinLock lock{smp::LockRank::PageCache, "address spaces"};
    static inline constinit IntrusiveList<AddressSpace, &AddressSpace::live_node_> list GUARDED_BY(lock);

    // The one after `previous`, which the caller holds, or the first; null behind the last. Those that die are left out.
    static Ref<AddressSpace> next(AddressSpace* previous) {
        smp::SpinGuard guard{lock};
        AddressSpace* space = previous == nullptr ? list.front_or_null() : list.next(*previous);
        while (space != nullptr && !space->try_get()) space = list.next(*space);
        return Ref<AddressSpace>::adopt(space);
    }
};

void AddressSpace::enlist() {
    smp::SpinGuard guard{Live::lock};
    Live::list.push_back(*this);
}

void AddressSpace::delist() {
    smp::SpinGuard guard{Live::lock};
    if (live_node_.is_linked()) Live::list.remove(*this);
}

void AddressSpace::unmap_pages(Backing const& backing, u64 first, u64 end, PrivatePages copies) {
    sched::MutexGuard guard{changes_};
    // Faults that have asked the object for a page before it gave up its own have mapped it when this lock is ours.
    { smp::SpinWriteGuard const faults{areas_lock_}; }
    for (Area* area = areas_.first(); area != nullptr; area = areas_.next(*area)) {
        if (area->backing.get() != &backing || (!area->shared && copies == PrivatePages::Stay)) continue;
        u64 const from = std::max(first, area->page_index(area->start));
        u64 const to = std::min(end, area->page_index(area->start) + area->size() / kPageSize);
        if (from >= to) continue;
        VirtAddr const start = area->start + (from - area->page_index(area->start)) * kPageSize;
        zap(start, start + (to - from) * kPageSize);
    }
}

void Backing::unmap_pages(u64 first, u64 end, PrivatePages copies) {
    // Pairs with the fence in on_area(): an area that is missed here is used after the object has given up its pages.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (areas_.load(std::memory_order_relaxed) == 0) return;
    for (Ref<AddressSpace> space = AddressSpace::Live::next(nullptr); space; space = AddressSpace::Live::next(space.get()))
        space->unmap_pages(*this, first, end, copies);
}

}  // namespace tutti::vm
