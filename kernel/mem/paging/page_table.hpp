// SPDX-License-Identifier: BSD-3-Clause
// A page-table tree that all CPUs change in parallel: entries are taken and given by compare-and-swap, tables are added
// by compare-and-swap and stay until the tree dies. What rests on more than an entry's bits claims it (page_claim.hpp).
//
// A leaf entry owns one reference to its frame (device mappings excepted). Nothing here flushes translations: the
// caller collects what it displaced in a TlbBatch (tlb.hpp) and puts frames only after the flush.
// Progress: lock-free. Context: any up to Isr for reads, up to NoPreempt for the rest; never blocks, never faults.
#pragma once

#include <atomic>

#include "arch/page_table_format.hpp"
#include "base/result.hpp"
#include "mem/frame/frame_allocator.hpp"

namespace tutti::mem {

class PageTable {
  public:
    using Entry = std::atomic<u64>;

    // An empty lower half; the kernel's half shared.
    [[nodiscard]] static Result<PageTable> create();
    // The kernel's own tree, as the platform built it.
    [[nodiscard]] static PageTable kernel();

    PageTable() = default;
    PageTable(PageTable&& other) noexcept : root_{std::exchange(other.root_, PhysAddr{})} {}
    PageTable& operator=(PageTable&& other) noexcept {
        std::swap(root_, other.root_);
        return *this;
    }

    [[nodiscard]] PhysAddr root() const { return root_; }

    // The leaf slot for an address, making the tables on the way. Error::NoMemory.
    [[nodiscard]] Result<Entry*> slot(VirtAddr address);
    // The leaf slot if the tables on the way exist, else null.
    [[nodiscard]] Entry* find_slot(VirtAddr address) const;
    [[nodiscard]] arch::PageEntry lookup(VirtAddr address) const;

    // Calls visit(VirtAddr, Entry&) for each leaf slot in [from, to) below an existing table; skips holes quickly.
    template <class Visit>
    void for_each_slot(VirtAddr from, VirtAddr to, Visit visit) {
        u64 at = from.value();
        while (at < to.value()) {
            unsigned missing = 0;
            Entry* const slots = find_table(at, missing);
            if (slots == nullptr) {
                u64 const span = arch::entry_span(missing);
                u64 const next = (at & ~(span - 1)) + span;
                if (next < at) return;
                at = next;
                continue;
            }
            u64 const table_end = (at & ~(arch::entry_span(2) - 1)) + arch::entry_span(2);
            u64 const end = std::min(table_end, to.value());
            for (; at < end; at += kPageSize) visit(VirtAddr{at}, slots[arch::table_index(at, 1)]);
        }
    }

    // Frees the lower half's tables and puts every frame that is still mapped. Nobody uses the tree any more and no
    // CPU has it loaded.
    void destroy();

  private:
    // The leaf table that covers `address`; on a hole null, with the level of the missing entry.
    [[nodiscard]] Entry* find_table(u64 address, unsigned& missing_level) const;

    PhysAddr root_;
};

}  // namespace tutti::mem
