// SPDX-License-Identifier: BSD-3-Clause
#include "mem/paging/page_table.hpp"

#include <cstring>

#include "arch/memory_layout.hpp"

namespace tutti::mem {
namespace {

using Entry = PageTable::Entry;

Entry* table_at(u64 entry) { return arch::phys_to_virt<Entry>(PhysAddr{entry & arch::PageEntry::kAddressMask}); }

constinit PhysAddr kernel_root{};

// The table below `entry`, made if it is not there; null when out of memory.
Entry* descend(Entry& entry) {
    // acquire: pairs with the release below, so that the table's zeroed contents are seen.
    u64 bits = entry.load(std::memory_order_acquire);
    if (bits == 0) {
        Result<FrameRef> table = allocate_frame(FrameFill::Zero);
        if (!table) return nullptr;
        u64 const wanted = arch::table_entry(table->get()->address());
        // release: publishes the zeroed table. On failure another CPU was first; ours goes back.
        if (entry.compare_exchange_strong(bits, wanted, std::memory_order_release, std::memory_order_acquire)) {
            (void)table->leak();
            bits = wanted;
        }
    }
    return table_at(bits);
}

void destroy_tables(Entry* table, unsigned level, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
        u64 const bits = table[i].load(std::memory_order_relaxed);
        if (bits == 0) continue;
        if (level == 1) {
            arch::PageEntry const entry{bits};
            if (Frame* const frame = entry.is_mapped() ? frame_at(entry.frame()) : nullptr; frame != nullptr)
                frame->put();
        } else {
            destroy_tables(table_at(bits), level - 1, arch::kEntriesPerTable);
            frame_at(PhysAddr{bits & arch::PageEntry::kAddressMask})->put();
        }
    }
}

}  // namespace

PageTable PageTable::kernel() {
    if (kernel_root.is_null()) kernel_root = arch::current_root();
    PageTable table;
    table.root_ = kernel_root;
    return table;
}

Result<PageTable> PageTable::create() {
    FrameRef root = TRY(allocate_frame(FrameFill::Zero));
    constexpr size_t kKernelBytes = (arch::kEntriesPerTable - arch::kFirstKernelEntry) * sizeof(u64);
    std::memcpy(root.data<u64>() + arch::kFirstKernelEntry,
                arch::phys_to_virt<u64>(kernel().root_) + arch::kFirstKernelEntry, kKernelBytes);
    PageTable table;
    table.root_ = root.leak()->address();
    return table;
}

Result<Entry*> PageTable::slot(VirtAddr address) {
    Entry* table = arch::phys_to_virt<Entry>(root_);
    for (unsigned level = arch::kPageTableLevels; level > 1; --level) {
        table = descend(table[arch::table_index(address.value(), level)]);
        if (table == nullptr) return fail(Error::NoMemory);
    }
    return &table[arch::table_index(address.value(), 1)];
}

Entry* PageTable::find_table(u64 address, unsigned& missing_level) const {
    Entry* table = arch::phys_to_virt<Entry>(root_);
    for (unsigned level = arch::kPageTableLevels; level > 1; --level) {
        // acquire: pairs with the release in descend().
        u64 const bits = table[arch::table_index(address, level)].load(std::memory_order_acquire);
        if (bits == 0) {
            missing_level = level;
            return nullptr;
        }
        table = table_at(bits);
    }
    return table;
}

Entry* PageTable::find_slot(VirtAddr address) const {
    unsigned missing = 0;
    Entry* const table = find_table(address.value(), missing);
    return table == nullptr ? nullptr : &table[arch::table_index(address.value(), 1)];
}

arch::PageEntry PageTable::lookup(VirtAddr address) const {
    Entry const* const entry = find_slot(address);
    return arch::PageEntry{entry == nullptr ? 0 : entry->load(std::memory_order_acquire)};
}

void PageTable::destroy() {
    if (root_.is_null()) return;
    destroy_tables(arch::phys_to_virt<Entry>(root_), arch::kPageTableLevels, arch::kFirstKernelEntry);
    frame_at(root_)->put();
    root_ = PhysAddr{};
}

}  // namespace tutti::mem
