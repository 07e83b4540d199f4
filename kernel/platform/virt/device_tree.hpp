// SPDX-License-Identifier: BSD-3-Clause
// The flattened device tree, checked before anything in it is believed. Devices are children of the root, as on QEMU virt;
// buses that translate addresses are not entered. Source: Devicetree Specification 0.4 and the bindings named below.
#pragma once

#include <expected>
#include <span>
#include <string_view>

#include "base/types.hpp"

namespace tutti::platform {

enum class PsciConduit : u8 { None, Hvc, Smc };

// arm,gic.yaml, arm,gic-v3.yaml.
struct GicDescription {
    static constexpr size_t kMaxRegions = 8;

    u32 version = 0;
    PhysRange distributor;
    PhysRange cpu_interface;              // version 2
    PhysRange redistributors[kMaxRegions];  // version 3
    size_t redistributor_regions = 0;
};

struct DeviceTree {
    static constexpr size_t kMaxRegions = 128;
    static constexpr size_t kMaxReserved = 16;

    PhysRange ram[kMaxRegions];  // ascending, page-aligned, not overlapping, at least one
    size_t ram_count = 0;
    PhysRange reserved[kMaxReserved];
    size_t reserved_count = 0;
    PhysRange initrd;               // inside one range of ram; size 0: none
    std::string_view command_line;  // in the blob
    u32 cpu_count = 0;              // at least one
    PsciConduit psci = PsciConduit::None;
    GicDescription gic;
    u32 timer_interrupt = 0;        // of the virtual timer
    PhysAddr pl011;                 // or the SBSA's part of one; null: none
    PhysAddr pl031;                 // real-time clock; null: none
};

// Bytes of the tree that starts at `header`, of which kDeviceTreeHeader are readable; 0: there is none.
inline constexpr size_t kDeviceTreeHeader = 40;
inline constexpr size_t kMaxDeviceTree = size_t{2} << 20;  // the boot protocol's limit
[[nodiscard]] size_t device_tree_size(void const* header);

// Nothing in `tree` may be used after an error, which is a sentence without a full stop.
[[nodiscard]] std::expected<void, std::string_view> read_device_tree(std::span<u8 const> blob, DeviceTree& tree);

// Affinities (MPIDR_EL1) of the CPUs, in the order of the tree; writes up to cpu_count of them. Of a tree that was read
// without error.
void read_cpu_affinities(std::span<u8 const> blob, std::span<u64> affinities);

}  // namespace tutti::platform
