// SPDX-License-Identifier: BSD-3-Clause
#include "platform/virt/boot_memory.hpp"

#include <algorithm>
#include <cstring>

#include "arch/cpu.hpp"
#include "arch/memory_layout.hpp"
#include "arch/page_table_format.hpp"
#include "base/assert.hpp"
#include "base/bits.hpp"
#include "platform/startup/boot_allocator.hpp"

extern "C" {
extern char __kernel_start[];
extern char __kernel_end[];
extern char __text_end[];
extern char __rodata_end[];
extern char boot_stack_guard[];
// Of entry.S.
extern tutti::u64 boot_window_l2[512];
extern tutti::u64 boot_direct_l1[512];
extern tutti::u64 boot_direct_l2[512];
extern char empty_root[];
void replace_kernel_root(tutti::u64 root);
}

namespace tutti::platform {
namespace {

using arch::PageEntry;
using arch::PagePermissions;

constexpr u64 kTwoMiB = u64{2} << 20;
constexpr u64 kOneGiB = u64{1} << 30;
// The boot tables have one table of 1 GiB entries for the direct map.
constexpr u64 kBootReach = 512 * kOneGiB;
constexpr u64 kAddressEnd = u64{1} << 47;
constexpr PagePermissions kReadOnly{};
constexpr PagePermissions kReadWrite{.write = true};
constexpr PagePermissions kExecutable{.execute = true};
constexpr PagePermissions kDevice{.write = true, .device = true};

constinit PhysAddr root{};

u64 block(u64 physical, PagePermissions permissions) { return physical | PageEntry::attributes(permissions); }
u64* table_at(u64 entry) { return arch::phys_to_virt<u64>(PhysAddr{entry & PageEntry::kAddressMask}); }

// The entry for `address` at `level` (4 = root), making the tables above it.
u64& entry_for(u64 address, unsigned level) {
    u64* table = arch::phys_to_virt<u64>(root);
    for (unsigned at = arch::kPageTableLevels; at > level; --at) {
        u64& entry = table[arch::table_index(address, at)];
        if (entry == 0) entry = arch::table_entry(arch::virt_to_phys(boot_allocate(kPageSize, kPageSize)));
        CHECK((entry & PageEntry::kPage) != 0, "boot mappings overlap at {}", VirtAddr{address});
        table = table_at(entry);
    }
    return table[arch::table_index(address, level)];
}

// Maps with the largest pages that fit. No entry is valid before, so none is in a translation cache.
void map_range(u64 address, u64 physical, u64 size, PagePermissions permissions) {
    while (size != 0) {
        unsigned level = 1;
        while (level < 3 && is_aligned(address | physical, arch::entry_span(level + 1)) && size >= arch::entry_span(level + 1))
            ++level;
        u64& entry = entry_for(address, level);
        CHECK(entry == 0, "boot mappings overlap at {}", VirtAddr{address});
        entry = block(physical, permissions) | (level == 1 ? PageEntry::kPage : 0);
        address += arch::entry_span(level), physical += arch::entry_span(level), size -= arch::entry_span(level);
    }
    arch::full_barrier();
    arch::instruction_barrier();
}

void map_image(char const* from, char const* to, PagePermissions permissions) {
    u64 const first = align_down(reinterpret_cast<u64>(from), kPageSize);
    u64 const last = align_up(reinterpret_cast<u64>(to), kPageSize);
    map_range(first, arch::virt_to_phys(reinterpret_cast<void const*>(first)).value(), last - first, permissions);
}

void map_direct(u64 first, u64 last, PagePermissions permissions) {
    if (first < last) map_range(arch::kDirectMapBase + first, first, last - first, permissions);
}

// The best part of a free piece: whole blocks of 2 MiB at its end, inside one gigabyte that the boot tables reach.
PhysRange usable_part(u64 first, u64 last) {
    last = align_down(std::min(last, kBootReach), kTwoMiB);
    first = align_up(first, kTwoMiB);
    if (first >= last) return {};
    first = std::max(first, align_down(last - 1, kOneGiB));
    return {PhysAddr{first}, last - first};
}

}  // namespace

u8 const* map_in_boot_window(PhysAddr address) {
    u64 const first = align_down(address.value(), kTwoMiB);
    if (!range_within(first, 2 * kTwoMiB, kAddressEnd)) return nullptr;
    for (u64 i = 0; i < 2; ++i) boot_window_l2[i] = block(first + i * kTwoMiB, kReadOnly);
    arch::full_barrier();
    arch::instruction_barrier();
    return reinterpret_cast<u8 const*>(arch::kBootWindow + (address.value() - first));
}

void boot_memory_init(DeviceTree const& tree, PhysRange blob) {
    PhysRange used[DeviceTree::kMaxReserved + 3];
    size_t count = 0;
    used[count++] = {arch::virt_to_phys(__kernel_start), static_cast<u64>(__kernel_end - __kernel_start)};
    used[count++] = blob;
    if (tree.initrd.size != 0) used[count++] = tree.initrd;
    for (size_t i = 0; i < tree.reserved_count; ++i) used[count++] = tree.reserved[i];
    std::sort(used, used + count, [](auto const& a, auto const& b) { return a.base < b.base; });
    PhysRange arena;
    auto const consider = [&arena](u64 first, u64 last) {
        PhysRange const part = first < last ? usable_part(first, last) : PhysRange{};
        if (part.size >= arena.size) arena = part;
    };
    for (size_t i = 0; i < tree.ram_count; ++i) {
        u64 at = tree.ram[i].base.value();
        u64 const end = tree.ram[i].end().value();
        for (size_t j = 0; j < count; ++j) {
            consider(at, std::min(end, used[j].base.value()));
            at = std::max(at, used[j].end().value());
        }
        consider(at, end);
    }
    CHECK(arena.size != 0, "no RAM left for the kernel: give the machine more memory");
    u64 const gigabyte = align_down(arena.base.value(), kOneGiB);
    boot_direct_l1[arch::table_index(gigabyte, 3)] = arch::table_entry(arch::virt_to_phys(boot_direct_l2));
    for (u64 at = arena.base.value(); at < arena.end().value(); at += kTwoMiB)
        boot_direct_l2[arch::table_index(at, 2)] = block(at, kReadWrite);
    arch::full_barrier();
    arch::instruction_barrier();
    boot_allocator_init(arena);
}

void kernel_tables_init(std::span<PhysRange const> ram) {
    root = arch::virt_to_phys(boot_allocate(kPageSize, kPageSize));
    // The image's text and constants are read-only through the direct map too.
    u64 const constants = arch::virt_to_phys(__kernel_start).value();
    u64 const constants_end = arch::virt_to_phys(__rodata_end).value();
    for (PhysRange const& range : ram) {
        u64 const first = range.base.value();
        u64 const last = range.end().value();
        map_direct(first, std::min(last, constants), kReadWrite);
        map_direct(std::max(first, constants), std::min(last, constants_end), kReadOnly);
        map_direct(std::max(first, constants_end), last, kReadWrite);
    }
    map_image(__kernel_start, __text_end, kExecutable);
    map_image(__text_end, __rodata_end, kReadOnly);
    map_image(__rodata_end, boot_stack_guard, kReadWrite);
    map_image(boot_stack_guard + kPageSize, __kernel_end, kReadWrite);
    arch::mask_everything();
    replace_kernel_root(root.value());
    leave_startup_tables();
    arch::enable_non_maskable();
}

PhysAddr kernel_root() { return root; }

void leave_startup_tables() { arch::load_lower_root(arch::virt_to_phys(empty_root).value()); }

void* boot_stack(u64 size) {
    static constinit u64 next = arch::kBootStacksBase;
    u64 const bottom = next + kPageSize;  // the guard comes first
    next = bottom + size;
    map_range(bottom, arch::virt_to_phys(boot_allocate(size, kPageSize)).value(), size, kReadWrite);
    return reinterpret_cast<void*>(next);
}

void* boot_map_device(PhysAddr address, u64 size) {
    u64 const first = address.page_base().value();
    u64 const last = align_up(address.value() + size, kPageSize);
    for (u64 page = first; page < last; page += kPageSize) {
        u64& entry = entry_for(arch::kDirectMapBase + page, 1);
        u64 const wanted = block(page, kDevice) | PageEntry::kPage;
        CHECK(entry == 0 || entry == wanted, "device registers at {} are in memory", VirtAddr{page});
        entry = wanted;
    }
    arch::full_barrier();
    arch::instruction_barrier();
    return arch::phys_to_virt(address);
}

}  // namespace tutti::platform
