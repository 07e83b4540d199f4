// SPDX-License-Identifier: BSD-3-Clause
// Claims on leaf entries of a page table: for changes that rest on more than the entry's own bits.
//
// Between a look at an entry and a compare-and-swap the page may go and come back: the bits are the same, but the frame's
// reference count, which was looked at in between, belonged to neither (ABA). Who must know how many hold a page, or copies
// it, claims it first. What was in the entry then is the claimer's, its reference included, and nobody else changes the
// entry: faults try again, all others wait. A frame that replaces another is thereby preceded by an empty entry and a flush, as
// Arm wants it (break before make, Arm ARM D8.14.1), and on no machine do two CPUs read two versions of a page.
// Context: Thread and up to NoPreempt. A claim is held with preemption off, for no longer than it takes to copy a page and to
// flush its translations, for which others answer interrupts while they wait.
#pragma once

#include <atomic>

#include "arch/cpu.hpp"
#include "arch/page_table_format.hpp"
#include "base/assert.hpp"
#include "smp/context/context.hpp"

namespace tutti::mem {

// False when the entry is no longer `bits`. Translations of what was there may live on; a flush ends them.
[[nodiscard]] inline bool try_claim_page(std::atomic<u64>& entry, u64 bits, smp::NoPreempt const&) {
    ASSERT(bits != arch::PageEntry::kBusy, "a claimed page is claimed again");
    // acquire: pairs with release_page(). The flush that follows has a fence of its own (tlb.hpp).
    return entry.compare_exchange_strong(bits, arch::PageEntry::kBusy, std::memory_order_acquire, std::memory_order_relaxed);
}

// Waits for other claims; returns what was in the entry, which may be nothing.
[[nodiscard]] inline u64 claim_page(std::atomic<u64>& entry, smp::NoPreempt const& context) {
    for (;;) {
        u64 const bits = entry.load(std::memory_order_relaxed);
        if (bits != arch::PageEntry::kBusy && try_claim_page(entry, bits, context)) return bits;
        arch::pause();
    }
}

// Ends a claim; the entry says `bits` from now on and owns a reference to their frame.
inline void release_page(std::atomic<u64>& entry, u64 bits) {
    // release: the page's contents come before its translation.
    entry.store(bits, std::memory_order_release);
}

// Leaves the entry empty, once nobody claims it; returns what was there. Preemption may be on.
[[nodiscard]] inline u64 take_page(std::atomic<u64>& entry) {
    u64 bits = entry.load(std::memory_order_relaxed);
    // acquire: what was put into the page comes before its frame's next life. The flush that follows has a fence of its own.
    while (bits == arch::PageEntry::kBusy ||
           !entry.compare_exchange_weak(bits, 0, std::memory_order_acquire, std::memory_order_relaxed)) {
        arch::pause();
        bits = entry.load(std::memory_order_relaxed);
    }
    return bits;
}

}  // namespace tutti::mem
