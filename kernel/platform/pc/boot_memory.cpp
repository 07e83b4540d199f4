// SPDX-License-Identifier: BSD-3-Clause
#include "platform/pc/boot_memory.hpp"

#include <algorithm>
#include <cstring>

#include "arch/cpu.hpp"
#include "arch/memory_layout.hpp"
#include "base/assert.hpp"
#include "base/bits.hpp"
#include "hal/boot_info.hpp"
#include "platform/startup/boot_allocator.hpp"

extern "C" {
extern char __kernel_start[];
extern char __kernel_end[];
extern char __text_start[];
extern char __text_end[];
extern char __rodata_end[];
extern char boot_stack_guard[];
}

namespace tutti::platform {
namespace {

constexpr u64 kPresent = 1;
constexpr u64 kWritable = 2;
constexpr u64 kCacheDisable = 1 << 4 | 1 << 3;  // PCD, PWT
constexpr u64 kLarge = 1 << 7;
constexpr u64 kGlobal = 1 << 8;
constexpr u64 kNoExecute = u64{1} << 63;
constexpr u64 kAddressMask = 0x000f'ffff'ffff'f000;
constexpr u64 kTwoMiB = u64{2} << 20;
constexpr u64 kOneGiB = u64{1} << 30;
// The boot tables of entry.S map this much; boot allocations must lie below.
constexpr u64 kBootMapped = u64{4} << 30;

constinit PhysAddr root{};
constinit PhysAddr startup_root{};  // tables of secondary CPUs until they run in the upper half
constinit PhysAddr startup_table{};
constinit PhysAddr startup_directory{};
constinit bool has_gigabyte_pages = false;

u64* table_at(u64 entry) { return arch::phys_to_virt<u64>(PhysAddr{entry & kAddressMask}); }

// The entry for `address` at `level` (4 = top), making the tables above it.
u64& entry_for(u64 address, unsigned level) {
    u64* table = arch::phys_to_virt<u64>(root);
    for (unsigned at = 4; at > level; --at) {
        u64& entry = table[address >> (3 + 9 * at) & 511];
        if ((entry & kPresent) == 0)
            entry = arch::virt_to_phys(boot_allocate(kPageSize, kPageSize)).value() | kPresent | kWritable;
        CHECK((entry & kLarge) == 0, "boot mappings overlap at {}", VirtAddr{address});
        table = table_at(entry);
    }
    return table[address >> (3 + 9 * level) & 511];
}

// Maps with the largest pages that fit.
void map_range(u64 address, u64 physical, u64 size, u64 flags) {
    while (size != 0) {
        if (has_gigabyte_pages && is_aligned(address | physical, kOneGiB) && size >= kOneGiB) {
            entry_for(address, 3) = physical | flags | kLarge;
            address += kOneGiB, physical += kOneGiB, size -= kOneGiB;
        } else if (is_aligned(address | physical, kTwoMiB) && size >= kTwoMiB) {
            entry_for(address, 2) = physical | flags | kLarge;
            address += kTwoMiB, physical += kTwoMiB, size -= kTwoMiB;
        } else {
            entry_for(address, 1) = physical | flags;
            address += kPageSize, physical += kPageSize, size -= kPageSize;
        }
    }
}

void map_image(char const* from, char const* to, u64 flags) {
    u64 const first = align_down(reinterpret_cast<u64>(from), kPageSize);
    u64 const last = align_up(reinterpret_cast<u64>(to), kPageSize);
    map_range(first, first - arch::kKernelImageBase, last - first, flags | kPresent | kGlobal);
}

void map_direct(u64 first, u64 last, u64 flags) {
    if (first < last)
        map_range(arch::kDirectMapBase + first, first, last - first, flags | kPresent | kGlobal | kNoExecute);
}

}  // namespace

void boot_memory_init(StartInfo const& info) {
    PhysAddr const image_end{align_up(reinterpret_cast<u64>(__kernel_end) - arch::kKernelImageBase, kPageSize)};
    PhysRange arena;
    // The largest piece of RAM below 4 GiB, above the image, that the initrd leaves free; hypervisors put their
    // hand-over structures low or right behind the image, so allocations start from the piece's top.
    for (size_t i = 0; i < info.ram_count; ++i) {
        PhysRange piece = info.ram[i];
        if (piece.end() <= image_end || piece.base.value() >= kBootMapped) continue;
        PhysAddr const low = std::max(piece.base, image_end);
        PhysAddr const high{std::min(piece.end().value(), kBootMapped)};
        PhysRange candidates[] = {{low, high - low}, {}};
        if (info.initrd.size != 0 && info.initrd.base < high && info.initrd.end() > low) {
            PhysAddr const start = std::max(info.initrd.base.page_base(), low);
            PhysAddr const end{std::min(align_up(info.initrd.end().value(), kPageSize), high.value())};
            candidates[0] = {low, start - low};
            candidates[1] = {end, high - end};
        }
        for (PhysRange const& candidate : candidates)
            if (candidate.size > arena.size) arena = candidate;
    }
    CHECK(arena.size >= 64 * kPageSize, "no RAM left for the kernel: give the machine more memory");
    boot_allocator_init(arena);
    has_gigabyte_pages = arch::cpuid(0x80000000).eax >= 0x80000001 && (arch::cpuid(0x80000001).edx & (1u << 26)) != 0;
}

void kernel_tables_init(StartInfo const& info) {
    root = arch::virt_to_phys(boot_allocate(kPageSize, kPageSize));
    // The image's text and constants are read-only through the direct map too.
    u64 const constants = arch::virt_to_phys(__kernel_start).value();
    u64 const constants_end = arch::virt_to_phys(__rodata_end).value();
    for (size_t i = 0; i < info.ram_count; ++i) {
        u64 const first = info.ram[i].base.value();
        u64 const last = info.ram[i].end().value();
        map_direct(first, std::min(last, constants), kWritable);
        map_direct(std::max(first, constants), std::min(last, constants_end), 0);
        map_direct(std::max(first, constants_end), last, kWritable);
    }
    map_image(__kernel_start, __text_end, 0);
    map_image(__text_end, __rodata_end, kNoExecute);
    map_image(__rodata_end, boot_stack_guard, kWritable | kNoExecute);
    map_image(boot_stack_guard + kPageSize, __kernel_end, kWritable | kNoExecute);
    // The top-level entries of the upper half exist from the start and never change, so that address spaces share the
    // kernel's half by copying them once.
    for (u64 address = arch::kKernelMapBase; address < arch::kKernelMapEnd; address += 512 * kOneGiB)
        (void)entry_for(address, 3);
    startup_root = arch::virt_to_phys(boot_allocate(kPageSize, kPageSize));
    startup_table = arch::virt_to_phys(boot_allocate(kPageSize, kPageSize));
    startup_directory = arch::virt_to_phys(boot_allocate(kPageSize, kPageSize));
    arch::write_cr3(root.value());
}

PhysAddr kernel_root() { return root; }

PhysAddr prepare_startup_root() {
    u64 const* const kernel = arch::phys_to_virt<u64>(root);
    u64* const top = arch::phys_to_virt<u64>(startup_root);
    std::copy(kernel + 256, kernel + 512, top + 256);
    top[0] = startup_table.value() | kPresent | kWritable;
    arch::phys_to_virt<u64>(startup_table)[0] = startup_directory.value() | kPresent | kWritable;
    arch::phys_to_virt<u64>(startup_directory)[0] = kPresent | kLarge;  // 0 to 2 MiB, to execute and read
    return startup_root;
}

void* boot_stack(u64 size) {
    static constinit u64 next = arch::kBootStacksBase;
    u64 const bottom = next + kPageSize;  // the guard comes first
    next = bottom + size;
    map_range(bottom, arch::virt_to_phys(boot_allocate(size, kPageSize)).value(), size,
              kPresent | kWritable | kGlobal | kNoExecute);
    return reinterpret_cast<void*>(next);
}

void* boot_map_device(PhysAddr address, u64 size) {
    u64 const first = address.page_base().value();
    u64 const last = align_up(address.value() + size, kPageSize);
    for (u64 page = first; page < last; page += kPageSize) {
        u64& entry = entry_for(arch::kDirectMapBase + page, 1);
        entry = page | kPresent | kWritable | kGlobal | kNoExecute | kCacheDisable;
    }
    return arch::phys_to_virt(address);
}

}  // namespace tutti::platform
