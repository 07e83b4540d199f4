// SPDX-License-Identifier: BSD-3-Clause
// Whatever blob the boot loader hands over, what is believed of it is consistent.
#include "platform/virt/device_tree.hpp"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "base/bits.hpp"

using namespace tutti;
using namespace tutti::platform;

extern "C" int LLVMFuzzerTestOneInput(u8 const* data, std::size_t size) {
    if (size < kDeviceTreeHeader) return 0;
    // 8-byte aligned, and nothing behind it, as the boot protocol and AddressSanitizer want it.
    std::unique_ptr<u64[]> const memory{new u64[(size + 7) / 8]};
    auto* const bytes = reinterpret_cast<u8*>(memory.get());
    std::memcpy(bytes, data, size);
    std::size_t const stated = device_tree_size(bytes);
    if (stated > kMaxDeviceTree) std::abort();
    static DeviceTree tree;
    std::span<u8 const> const blob{bytes, stated == 0 || stated > size ? size : stated};
    auto const read = read_device_tree(blob, tree);
    if (!read) {
        if (read.error().empty()) std::abort();
        return 0;
    }
    if (tree.ram_count == 0 || tree.ram_count > DeviceTree::kMaxRegions) std::abort();
    bool initrd_is_ram = tree.initrd.size == 0;
    for (std::size_t i = 0; i < tree.ram_count; ++i) {
        PhysRange const& ram = tree.ram[i];
        if (ram.size == 0 || !is_aligned(ram.base.value() | ram.size, kPageSize)) std::abort();
        if (ram.end() < ram.base || (i != 0 && ram.base < tree.ram[i - 1].end())) std::abort();
        initrd_is_ram |= tree.initrd.base >= ram.base && tree.initrd.end() <= ram.end();
    }
    if (!initrd_is_ram) std::abort();
    for (std::size_t i = 0; i < tree.reserved_count; ++i)
        if (tree.reserved[i].end() < tree.reserved[i].base) std::abort();
    for (char const c : tree.command_line)
        if (c == 0) std::abort();
    if (tree.gic.version != 2 && tree.gic.version != 3) std::abort();
    if (tree.gic.version == 3 && tree.gic.redistributor_regions == 0) std::abort();
    if (tree.timer_interrupt < 16 || tree.timer_interrupt > 31) std::abort();
    if (tree.cpu_count == 0) std::abort();
    std::vector<u64> affinities(tree.cpu_count + 1, ~u64{0});
    read_cpu_affinities(blob, affinities);
    if (affinities[tree.cpu_count] != ~u64{0}) std::abort();
    return 0;
}
