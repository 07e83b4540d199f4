// SPDX-License-Identifier: BSD-3-Clause
#include "platform/pc/start_info.hpp"

#include <algorithm>

#include "base/bits.hpp"

namespace tutti::platform {
namespace {

constexpr u32 kMagic = 0x336ec578;
constexpr u64 kHeaderSize = 40;        // version 0
constexpr u64 kHeaderSizeV1 = 56;      // with the memory map
constexpr u64 kModuleEntrySize = 32;
constexpr u64 kMemoryEntrySize = 24;
constexpr u64 kE820EntrySize = 20;  // the same without what is reserved
constexpr u32 kMaxModules = 64;
constexpr u32 kMemoryTypeRam = 1;
constexpr u64 kPhysLimit = u64{1} << 46;
constexpr u64 kMaxCommandLine = 4096;  // with its NUL

// The RAM of a map, in whole pages, ascending.
Result<> read_memory_map(std::span<u8 const> map, u64 entry_size, StartInfo& info) {
    if (map.size() < entry_size || map.size() / entry_size > StartInfo::kMaxRegions) return fail(Error::BadFormat);
    for (size_t at = 0; at + entry_size <= map.size(); at += entry_size) {
        u8 const* const entry = map.data() + at;
        u64 const base = load_le<u64>(entry);
        u64 const size = load_le<u64>(entry + 8);
        if (load_le<u32>(entry + 16) != kMemoryTypeRam) continue;
        if (!range_within(base, size, kPhysLimit)) return fail(Error::BadFormat);
        u64 const first = align_up(base, kPageSize);
        u64 const last = align_down(base + size, kPageSize);
        if (last > first) info.ram[info.ram_count++] = {PhysAddr{first}, last - first};
    }
    if (info.ram_count == 0) return fail(Error::BadFormat);
    std::sort(info.ram, info.ram + info.ram_count, [](PhysRange const& a, PhysRange const& b) { return a.base < b.base; });
    for (size_t i = 1; i < info.ram_count; ++i)
        if (info.ram[i].base < info.ram[i - 1].end()) return fail(Error::BadFormat);
    return {};
}

}  // namespace

Result<StartInfo> parse_start_info(PhysAddr address, PhysReader read, std::span<u8 const> separate_map) {
    std::span<u8 const> const header = read(address, kHeaderSize);
    if (header.empty() || load_le<u32>(header.data()) != kMagic) return fail(Error::BadFormat);
    StartInfo info;
    u32 const version = load_le<u32>(header.data() + 4);
    u32 const modules = load_le<u32>(header.data() + 12);
    PhysAddr const module_list{load_le<u64>(header.data() + 16)};
    PhysAddr const command_line{load_le<u64>(header.data() + 24)};
    info.rsdp = PhysAddr{load_le<u64>(header.data() + 32)};

    if (!command_line.is_null()) {
        std::span<u8 const> const text = read(command_line, kMaxCommandLine);
        auto const end = std::find(text.begin(), text.end(), u8{0});
        if (end == text.end()) return fail(Error::BadFormat);
        info.command_line = {reinterpret_cast<char const*>(text.data()), static_cast<size_t>(end - text.begin())};
    }

    if (modules > kMaxModules) return fail(Error::BadFormat);
    if (modules != 0) {
        std::span<u8 const> const list = read(module_list, modules * kModuleEntrySize);
        if (list.empty()) return fail(Error::BadFormat);
        info.initrd = {PhysAddr{load_le<u64>(list.data())}, load_le<u64>(list.data() + 8)};
        if (!range_within(info.initrd.base.value(), info.initrd.size, kPhysLimit)) return fail(Error::BadFormat);
    }

    if (version < 1) {
        if (separate_map.empty()) return fail(Error::NotSupported);
        TRY(read_memory_map(separate_map, kE820EntrySize, info));
    } else {
        std::span<u8 const> const extended = read(address, kHeaderSizeV1);
        if (extended.empty()) return fail(Error::BadFormat);
        u32 const entries = load_le<u32>(extended.data() + 48);
        if (entries == 0 || entries > StartInfo::kMaxRegions) return fail(Error::BadFormat);
        TRY(read_memory_map(read(PhysAddr{load_le<u64>(extended.data() + 40)}, entries * kMemoryEntrySize), kMemoryEntrySize,
                            info));
    }
    bool const initrd_is_ram = std::any_of(info.ram, info.ram + info.ram_count, [&](PhysRange const& ram) {
        return info.initrd.base >= ram.base && info.initrd.end() <= ram.end();
    });
    if (info.initrd.size != 0 && !initrd_is_ram) return fail(Error::BadFormat);
    return info;
}

}  // namespace tutti::platform
