// SPDX-License-Identifier: BSD-3-Clause
#include "platform/virt/device_tree.hpp"

#include <algorithm>

#include "base/bits.hpp"
#include "platform/virt/flat_tree.hpp"

namespace tutti::platform {
namespace {

using Problem = std::unexpected<std::string_view>;

std::expected<void, std::string_view> read_memory(FlatTree const& tree, DeviceTree& out) {
    bool too_many = false;
    tree.for_each_child(tree.root(), [&](int node) {
        if (tree.text(node, "device_type") != "memory" || !tree.is_enabled(node)) return;
        RegisterList const registers{tree, tree.root(), node};
        for (size_t i = 0; i < registers.count(); ++i) {
            PhysRange const range = registers[i];
            u64 const first = align_up(range.base.value(), kPageSize);
            u64 const last = align_down(range.end().value(), kPageSize);
            if (first >= last) continue;
            if (out.ram_count == DeviceTree::kMaxRegions)
                too_many = true;
            else
                out.ram[out.ram_count++] = {PhysAddr{first}, last - first};
        }
    });
    if (too_many) return Problem{"the device tree lists more than 128 pieces of memory"};
    if (out.ram_count == 0) return Problem{"the device tree lists no memory"};
    std::sort(out.ram, out.ram + out.ram_count, [](auto const& a, auto const& b) { return a.base < b.base; });
    for (size_t i = 1; i < out.ram_count; ++i)
        if (out.ram[i].base < out.ram[i - 1].end()) return Problem{"pieces of memory in the device tree overlap"};
    return {};
}

std::expected<void, std::string_view> read_reserved(FlatTree const& tree, DeviceTree& out) {
    bool too_many = false;
    auto const add = [&](PhysRange range) {
        if (range.size == 0) return;
        if (out.reserved_count == DeviceTree::kMaxReserved)
            too_many = true;
        else
            out.reserved[out.reserved_count++] = range;
    };
    int const listed = fdt_num_mem_rsv(tree.blob());
    for (int i = 0; i < listed; ++i) {
        u64 base = 0;
        u64 size = 0;
        if (fdt_get_mem_rsv(tree.blob(), i, &base, &size) == 0 && range_within(base, size, kPhysicalEnd))
            add({PhysAddr{base}, size});
    }
    if (int const parent = tree.find("/reserved-memory"); parent >= 0)
        tree.for_each_child(parent, [&](int node) {
            RegisterList const registers{tree, parent, node};
            for (size_t i = 0; i < registers.count(); ++i) add(registers[i]);
        });
    if (too_many) return Problem{"the device tree reserves more than 16 pieces of memory"};
    return {};
}

std::expected<void, std::string_view> read_chosen(FlatTree const& tree, DeviceTree& out) {
    int const chosen = tree.find("/chosen");
    if (chosen < 0) return {};
    out.command_line = tree.text(chosen, "bootargs");
    std::span<u8 const> const start = tree.property(chosen, "linux,initrd-start");
    std::span<u8 const> const end = tree.property(chosen, "linux,initrd-end");
    if (start.empty() && end.empty()) return {};
    auto const is_number = [](std::span<u8 const> value) { return value.size() == 4 || value.size() == 8; };
    if (!is_number(start) || !is_number(end)) return Problem{"the device tree's initial archive has no valid place"};
    u64 const first = FlatTree::number(start);
    u64 const last = FlatTree::number(end);
    if (first == last) return {};  // Xen's way to say that there is none
    for (size_t i = 0; i < out.ram_count && first <= last; ++i)
        if (out.ram[i].base.value() <= first && last <= out.ram[i].end().value()) {
            out.initrd = {PhysAddr{first}, last - first};
            return {};
        }
    return Problem{"the device tree's initial archive is not in memory"};
}

// Calls visit(affinity) for each usable CPU.
template <class Visit>
void for_each_cpu(FlatTree const& tree, Visit visit) {
    int const cpus = tree.find("/cpus");
    if (cpus < 0) return;
    size_t const cells = tree.cells(cpus, "#address-cells", 1);
    tree.for_each_child(cpus, [&](int node) {
        std::span<u8 const> const reg = tree.property(node, "reg");
        if (tree.text(node, "device_type") != "cpu" || !tree.is_enabled(node)) return;
        if (reg.size() != 4 * cells || cells == 0) return;
        visit(FlatTree::number(reg));
    });
}

PsciConduit read_psci(FlatTree const& tree) {
    int const psci = tree.find("/psci");
    if (psci < 0) return PsciConduit::None;
    if (!tree.is_compatible(psci, "arm,psci-0.2") && !tree.is_compatible(psci, "arm,psci-1.0")) return PsciConduit::None;
    std::string_view const method = tree.text(psci, "method");
    return method == "hvc" ? PsciConduit::Hvc : method == "smc" ? PsciConduit::Smc : PsciConduit::None;
}

bool is_gic_v2(FlatTree const& tree, int node) {
    return tree.is_compatible(node, "arm,cortex-a15-gic") || tree.is_compatible(node, "arm,gic-400");
}

GicDescription read_gic(FlatTree const& tree, int node) {
    GicDescription gic;
    RegisterList const registers{tree, tree.root(), node};
    gic.distributor = registers[0];
    if (gic.distributor.size < 0x1000) return {};
    if (is_gic_v2(tree, node)) {
        gic.cpu_interface = registers[1];
        if (gic.cpu_interface.size < 0x1000) return {};
        gic.version = 2;
        return gic;
    }
    u64 regions = 1;
    if (std::span<u8 const> const count = tree.property(node, "#redistributor-regions"); count.size() == 4)
        regions = FlatTree::number(count);
    if (regions == 0 || regions > GicDescription::kMaxRegions) return {};
    for (u64 i = 0; i < regions; ++i) {
        PhysRange const region = registers[1 + i];
        if (region.size < 0x20000) return {};
        gic.redistributors[gic.redistributor_regions++] = region;
    }
    gic.version = 3;
    return gic;
}

// The third entry is the virtual timer's (arm,arch_timer.yaml): kind, number, flags. 0 when it is not a private interrupt.
u32 read_timer(FlatTree const& tree, int node) {
    std::span<u8 const> const interrupts = tree.property(node, "interrupts");
    constexpr size_t kEntry = 12;
    if (interrupts.size() < 3 * kEntry) return 0;
    std::span<u8 const> const entry = interrupts.subspan(2 * kEntry, kEntry);
    u64 const number = FlatTree::number(entry.subspan(4, 4));
    bool const is_private = FlatTree::number(entry.first(4)) == 1;
    return is_private && number < 16 ? static_cast<u32>(16 + number) : 0;
}

}  // namespace

size_t device_tree_size(void const* header) {
    if (fdt_check_header(header) != 0) return 0;
    size_t const size = fdt_totalsize(header);
    return size <= kMaxDeviceTree ? size : 0;
}

std::expected<void, std::string_view> read_device_tree(std::span<u8 const> blob, DeviceTree& out) {
    out = {};
    if (blob.size() < kDeviceTreeHeader || fdt_check_full(blob.data(), blob.size()) != 0)
        return Problem{"the device tree is damaged"};
    FlatTree const tree{blob};
    if (auto const read = read_memory(tree, out); !read) return read;
    if (auto const read = read_reserved(tree, out); !read) return read;
    if (auto const read = read_chosen(tree, out); !read) return read;
    for_each_cpu(tree, [&](u64) { ++out.cpu_count; });
    if (out.cpu_count == 0) return Problem{"the device tree lists no CPU"};
    out.psci = read_psci(tree);
    tree.for_each_child(tree.root(), [&](int node) {
        if (!tree.is_enabled(node)) return;
        if (out.gic.version == 0 && (is_gic_v2(tree, node) || tree.is_compatible(node, "arm,gic-v3")))
            out.gic = read_gic(tree, node);
        else if (tree.is_compatible(node, "arm,armv8-timer"))
            out.timer_interrupt = read_timer(tree, node);
        else if (out.pl011.is_null() && (tree.is_compatible(node, "arm,pl011") || tree.is_compatible(node, "arm,sbsa-uart")))
            out.pl011 = RegisterList{tree, tree.root(), node}[0].base;
        else if (out.pl031.is_null() && tree.is_compatible(node, "arm,pl031"))
            out.pl031 = RegisterList{tree, tree.root(), node}[0].base;
    });
    if (out.gic.version == 0) return Problem{"the device tree has no interrupt controller that we know (GICv2, GICv3)"};
    if (out.timer_interrupt == 0) return Problem{"the device tree has no virtual timer"};
    return {};
}

void read_cpu_affinities(std::span<u8 const> blob, std::span<u64> affinities) {
    size_t at = 0;
    for_each_cpu(FlatTree{blob}, [&](u64 affinity) {
        if (at < affinities.size()) affinities[at++] = affinity;
    });
}

}  // namespace tutti::platform
