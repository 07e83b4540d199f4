// SPDX-License-Identifier: BSD-3-Clause
// Whatever the hypervisor hands over, what is believed of it is consistent. The input is memory from 0x1000 on, with
// the structure at its start; from 0x100 on it is the separate memory map of Xen's first domain too.
#include "platform/pc/start_info.hpp"

#include <cstdlib>
#include <vector>

#include "base/bits.hpp"

namespace {

using tutti::PhysAddr;
using tutti::u64;
using tutti::u8;

constexpr u64 kBase = 0x1000;
std::vector<u8> memory;

std::span<u8 const> read(PhysAddr address, u64 size) {
    if (!tutti::range_within(address.value(), size, kBase + memory.size()) || address.value() < kBase) return {};
    return {memory.data() + (address.value() - kBase), size};
}

void check(std::span<u8 const> separate_map) {
    auto const info = tutti::platform::parse_start_info(PhysAddr{kBase}, read, separate_map);
    if (!info) return;
    if (info->ram_count == 0 || info->ram_count > tutti::platform::StartInfo::kMaxRegions) std::abort();
    bool initrd_is_ram = info->initrd.size == 0;
    for (std::size_t i = 0; i < info->ram_count; ++i) {
        tutti::PhysRange const& ram = info->ram[i];
        if (ram.size == 0 || !tutti::is_aligned(ram.base.value() | ram.size, tutti::kPageSize)) std::abort();
        if (ram.end() < ram.base || (i != 0 && ram.base < info->ram[i - 1].end())) std::abort();
        initrd_is_ram |= info->initrd.base >= ram.base && info->initrd.end() <= ram.end();
    }
    if (!initrd_is_ram) std::abort();
    for (char const c : info->command_line)
        if (c == 0) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(u8 const* data, std::size_t size) {
    constexpr std::size_t kMap = 0x100;
    memory.assign(data, data + size);
    memory.shrink_to_fit();
    check({});
    if (size > kMap) {
        std::vector<u8> const map(data + kMap, data + size);
        check(map);
    }
    return 0;
}
