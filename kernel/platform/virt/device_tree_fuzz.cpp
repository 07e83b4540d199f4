// SPDX-License-Identifier: BSD-3-Clause
// Whatever blob the boot loader hands over, what is believed of it is consistent.
#include "platform/virt/tree_devices.hpp"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "base/bits.hpp"

using namespace tutti;
using namespace tutti::platform;

namespace {

DeviceTree tree;

void check_place(PhysAddr base, u64 size) {
    if (size == 0 || base.value() + size < base.value()) std::abort();
    for (std::size_t i = 0; i < tree.ram_count; ++i)
        if (base < tree.ram[i].end() && tree.ram[i].base < base + size) std::abort();
}

void check_line(hal::InterruptLine line) {
    if (line.gsi < kFirstSharedInterrupt || line.gsi >= kEndOfSharedInterrupts || line.active_low) std::abort();
}

void check_devices(std::span<u8 const> blob) {
    static TreeDevices devices;
    read_tree_devices(blob, tree, devices);
    for (std::size_t i = 0; i < devices.slot_count; ++i) {
        check_place(devices.slots[i].base, devices.slots[i].size);
        check_line(devices.slots[i].line);
    }
    for (std::size_t i = 0; i < devices.host_count; ++i) {
        PciHost const& host = devices.hosts[i];
        check_place(host.configuration.base, host.configuration.size);
        if (host.first_bus > host.last_bus) std::abort();
        if (host.configuration.size != u64{host.last_bus - host.first_bus + 1u} << 20) std::abort();
        for (std::size_t j = 0; j < host.aperture_count; ++j) {
            check_place(host.apertures[j].base, host.apertures[j].size);
            if (host.apertures[j].bus_address + host.apertures[j].size < host.apertures[j].bus_address) std::abort();
        }
        for (u8 device = 0; device < 32; ++device)
            for (u8 pin = 1; pin <= 4; ++pin)
                if (auto const line = host.pin_line(device, pin)) check_line(*line);
        (void)host.message_device(0xffff);
    }
    for (std::size_t i = 0; i < devices.frame_count; ++i) {
        check_place(devices.frames[i].registers.base, devices.frames[i].registers.size);
        if (devices.frames[i].count > kEndOfSharedInterrupts || devices.frames[i].first > kEndOfSharedInterrupts) std::abort();
    }
    if (devices.translation_service.size != 0) check_place(devices.translation_service.base, devices.translation_service.size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(u8 const* data, std::size_t size) {
    if (size < kDeviceTreeHeader) return 0;
    // 8-byte aligned, and nothing behind it, as the boot protocol and AddressSanitizer want it.
    std::unique_ptr<u64[]> const memory{new u64[(size + 7) / 8]};
    auto* const bytes = reinterpret_cast<u8*>(memory.get());
    std::memcpy(bytes, data, size);
    std::size_t const stated = device_tree_size(bytes);
    if (stated > kMaxDeviceTree) std::abort();
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
    check_devices(blob);
    return 0;
}
