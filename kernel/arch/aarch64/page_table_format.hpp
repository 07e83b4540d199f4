// SPDX-License-Identifier: BSD-3-Clause
// Translation-table entries of aarch64: 4 KiB granule, 48-bit addresses, four levels of 512 entries. A level here counts
// from the leaves (1 = page), the architecture's from the root (3 = page). Source: Arm ARM, DDI 0487, chapter D8.3.
#pragma once

#include "arch/cpu.hpp"
#include "arch/memory_layout.hpp"
#include "base/types.hpp"

extern "C" char empty_root[];  // of the platform: a table without entries

namespace tutti::arch {

inline constexpr unsigned kPageTableLevels = 4;
inline constexpr unsigned kEntriesPerTable = 512;
// The kernel's half has a root of its own (TTBR1), so a program's root holds nothing of it.
inline constexpr unsigned kFirstKernelEntry = 512;

[[nodiscard]] constexpr unsigned table_index(u64 address, unsigned level) {
    return static_cast<unsigned>(address >> (kPageShift + 9 * (level - 1))) & (kEntriesPerTable - 1);
}
// Bytes that one entry of a table at `level` (1 = leaf) covers.
[[nodiscard]] constexpr u64 entry_span(unsigned level) { return kPageSize << (9 * (level - 1)); }

// Indices into MAIR_EL1, whose value entry.S loads.
inline constexpr u64 kMemoryNormal = 0;  // write-back
inline constexpr u64 kMemoryDevice = 1;  // nGnRE

struct PagePermissions {
    bool read = true;  // false: nothing at all may be done; the frame stays in the entry
    bool write = false;
    bool execute = false;
    bool user = false;
    bool device = false;  // uncached
    friend constexpr bool operator==(PagePermissions, PagePermissions) = default;
};

// A leaf entry, by value.
class PageEntry {
  public:
    constexpr PageEntry() = default;
    constexpr explicit PageEntry(u64 bits) : bits_{bits} {}
    [[nodiscard]] static constexpr PageEntry leaf(PhysAddr frame, PagePermissions p) {
        u64 bits = frame.value() | attributes(p) | kMapped | kPage;
        if (!p.read) bits &= ~kPresent;
        return PageEntry{bits};
    }
    // All but address and kind of a leaf or block entry. The access flag is set from the start: nobody reads it.
    [[nodiscard]] static constexpr u64 attributes(PagePermissions p) {
        u64 bits = kPresent | kAccessed | kInnerShareable;
        bits |= (p.device ? kMemoryDevice : kMemoryNormal) << 2;
        if (!p.write) bits |= kReadOnly;
        if (p.user) bits |= kUser | kNotGlobal | kKernelExecuteNever;
        if (!p.execute) bits |= kUserExecuteNever | kKernelExecuteNever;
        if (!p.user) bits |= kUserExecuteNever;
        return bits;
    }
    [[nodiscard]] constexpr u64 bits() const { return bits_; }
    // Nothing yet: another thread is about to put a frame here.
    [[nodiscard]] constexpr bool is_busy() const { return bits_ == kBusy; }
    // A frame is in the entry, accessible or not.
    [[nodiscard]] constexpr bool is_mapped() const { return (bits_ & kMapped) != 0; }
    [[nodiscard]] constexpr bool is_present() const { return (bits_ & kPresent) != 0; }
    [[nodiscard]] constexpr bool is_writable() const { return is_present() && (bits_ & kReadOnly) == 0; }
    [[nodiscard]] constexpr bool is_executable() const {
        return is_present() && (bits_ & ((bits_ & kUser) != 0 ? kUserExecuteNever : kKernelExecuteNever)) == 0;
    }
    [[nodiscard]] constexpr PhysAddr frame() const { return PhysAddr{bits_ & kAddressMask}; }
    [[nodiscard]] constexpr PageEntry with(PagePermissions p) const { return leaf(frame(), p); }
    friend constexpr bool operator==(PageEntry, PageEntry) = default;

    static constexpr u64 kPresent = 1 << 0;
    static constexpr u64 kPage = 1 << 1;  // with kPresent; clear in a block entry
    static constexpr u64 kUser = 1 << 6;       // AP[1]
    static constexpr u64 kReadOnly = 1 << 7;   // AP[2]
    static constexpr u64 kInnerShareable = 3 << 8;
    static constexpr u64 kAccessed = 1 << 10;
    static constexpr u64 kNotGlobal = 1 << 11;
    static constexpr u64 kKernelExecuteNever = u64{1} << 53;
    static constexpr u64 kUserExecuteNever = u64{1} << 54;
    static constexpr u64 kMapped = u64{1} << 55;  // software: holds a frame reference
    static constexpr u64 kBusy = u64{1} << 56;  // software, alone in the entry
    static constexpr u64 kAddressMask = 0x0000'ffff'ffff'f000;

  private:
    u64 bits_ = 0;
};

// An entry that points to a lower table; permissions are decided at the leaf.
[[nodiscard]] constexpr u64 table_entry(PhysAddr table) { return table.value() | PageEntry::kPresent | PageEntry::kPage; }

// The kernel's root; boot CPU and mem/paging.
[[nodiscard]] ALWAYS_INLINE PhysAddr current_root() {
    u64 root;
    asm volatile("mrs %0, ttbr1_el1" : "=r"(root)::"memory");
    return PhysAddr{root & PageEntry::kAddressMask};
}

// Translations of the lower half come from `root`; this CPU forgets those it had. All spaces share one address-space
// identifier.
ALWAYS_INLINE void load_root(PhysAddr root) {
    asm volatile("msr ttbr0_el1, %0; isb; tlbi aside1, xzr; dsb nsh; isb" ::"r"(root.value()) : "memory");
}
ALWAYS_INLINE void load_kernel_root(PhysAddr) { load_root(virt_to_phys(empty_root)); }

// After entries that were not valid before: this CPU's table walks find them from now on (D8.2.6). Others find them when they
// learn of them by memory accesses, after a barrier of theirs.
ALWAYS_INLINE void publish_entries() { asm volatile("dsb ishst; isb" ::: "memory"); }

// On this CPU only.
ALWAYS_INLINE void flush_page(u64 address) {
    asm volatile("dsb ishst; tlbi vaae1, %0; dsb nsh; isb" ::"r"(address >> kPageShift & 0x0000'0fff'ffff'ffff) : "memory");
}
// Drops translations of user addresses [from, to), on all CPUs: the hardware tells the others.
inline constexpr bool kFlushReachesAllCpus = true;
ALWAYS_INLINE void flush_range(u64 from, u64 to) {
    // Beyond this many pages, dropping all of them is cheaper than dropping them one by one.
    constexpr u64 kMaxSinglePages = 32;
    asm volatile("dsb ishst" ::: "memory");  // the walkers see the changed entries first
    if ((to - from) >> kPageShift > kMaxSinglePages)
        asm volatile("tlbi vmalle1is" ::: "memory");
    else
        for (u64 page = from; page < to; page += kPageSize)
            asm volatile("tlbi vaae1is, %0" ::"r"(page >> kPageShift & 0x0000'0fff'ffff'ffff) : "memory");
    asm volatile("dsb ish; isb" ::: "memory");
}

}  // namespace tutti::arch
