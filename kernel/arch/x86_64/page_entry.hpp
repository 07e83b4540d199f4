// SPDX-License-Identifier: BSD-3-Clause
// Page-table entries of x86_64, four levels of 512 entries (Intel SDM vol. 3, chapter 4.5). Without instructions: where the
// kernel is a process, its tables are made of the same.
#pragma once

#include "base/types.hpp"

namespace tutti::arch {

inline constexpr unsigned kPageTableLevels = 4;
inline constexpr unsigned kEntriesPerTable = 512;

[[nodiscard]] constexpr unsigned table_index(u64 address, unsigned level) {
    return static_cast<unsigned>(address >> (kPageShift + 9 * (level - 1))) & (kEntriesPerTable - 1);
}
// Bytes that one entry of a table at `level` (1 = leaf) covers.
[[nodiscard]] constexpr u64 entry_span(unsigned level) { return kPageSize << (9 * (level - 1)); }

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
        // Accessed and dirty are set from the start: nobody reads them, and the CPU need not write them back.
        u64 bits = frame.value() | kAccessed | kDirty | kMapped;
        if (p.read) bits |= kPresent;
        if (p.write) bits |= kWritable;
        if (!p.execute) bits |= kNoExecute;
        if (p.user) bits |= kUser;
        else bits |= kGlobal;
        if (p.device) bits |= kCacheDisable | kWriteThrough;
        return PageEntry{bits};
    }
    [[nodiscard]] constexpr u64 bits() const { return bits_; }
    // Nothing yet: another thread is about to put a frame here.
    [[nodiscard]] constexpr bool is_busy() const { return bits_ == kBusy; }
    // A frame is in the entry, accessible or not.
    [[nodiscard]] constexpr bool is_mapped() const { return (bits_ & kMapped) != 0; }
    [[nodiscard]] constexpr bool is_present() const { return (bits_ & kPresent) != 0; }
    [[nodiscard]] constexpr bool is_writable() const { return (bits_ & (kPresent | kWritable)) == (kPresent | kWritable); }
    [[nodiscard]] constexpr bool is_executable() const { return is_present() && (bits_ & kNoExecute) == 0; }
    [[nodiscard]] constexpr PhysAddr frame() const { return PhysAddr{bits_ & kAddressMask}; }
    [[nodiscard]] constexpr PageEntry with(PagePermissions p) const { return leaf(frame(), p); }
    friend constexpr bool operator==(PageEntry, PageEntry) = default;

    static constexpr u64 kPresent = 1 << 0;
    static constexpr u64 kWritable = 1 << 1;
    static constexpr u64 kUser = 1 << 2;
    static constexpr u64 kWriteThrough = 1 << 3;
    static constexpr u64 kCacheDisable = 1 << 4;
    static constexpr u64 kAccessed = 1 << 5;
    static constexpr u64 kDirty = 1 << 6;
    static constexpr u64 kGlobal = 1 << 8;
    static constexpr u64 kMapped = 1 << 9;  // software: holds a frame reference
    static constexpr u64 kBusy = 1 << 10;  // software, alone in the entry
    static constexpr u64 kNoExecute = u64{1} << 63;
    static constexpr u64 kAddressMask = 0x000f'ffff'ffff'f000;

  private:
    u64 bits_ = 0;
};

// An entry that points to a lower table; permissions are decided at the leaf.
[[nodiscard]] constexpr u64 table_entry(PhysAddr table) {
    return table.value() | PageEntry::kPresent | PageEntry::kWritable | PageEntry::kUser | PageEntry::kAccessed;
}

}  // namespace tutti::arch
