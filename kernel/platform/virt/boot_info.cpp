// SPDX-License-Identifier: BSD-3-Clause
#include "platform/virt/boot_info.hpp"

#include <algorithm>

#include "arch/memory_layout.hpp"
#include "base/assert.hpp"
#include "base/bits.hpp"
#include "hal/boot_info.hpp"
#include "platform/virt/boot_memory.hpp"

extern "C" char __kernel_start[];
extern "C" char __kernel_end[];

namespace tutti::platform {
namespace {

constexpr size_t kMaxReserved = DeviceTree::kMaxReserved + 3;  // image, initial archive, boot allocations
constinit hal::BootInfo info{};
constinit PhysRange reserved[kMaxReserved]{};
constinit size_t reserved_count = 0;

}  // namespace

void add_reserved(PhysRange range) {
    if (range.size == 0) return;
    CHECK(reserved_count < kMaxReserved);
    u64 const first = range.base.page_base().value();
    u64 const last = align_up(range.end().value(), kPageSize);
    reserved[reserved_count++] = {PhysAddr{first}, last - first};
    std::sort(reserved, reserved + reserved_count, [](auto const& a, auto const& b) { return a.base < b.base; });
    info.reserved = {reserved, reserved_count};
}

void boot_info_init(DeviceTree const& tree) {
    auto* const ram = static_cast<PhysRange*>(boot_allocate(sizeof(PhysRange) * tree.ram_count, alignof(PhysRange)));
    std::copy_n(tree.ram, tree.ram_count, ram);
    info.ram = {ram, tree.ram_count};
    info.initrd = tree.initrd;
    info.cpu_count = tree.cpu_count;
    info.platform = tree.gic.version == 2 ? "virt-gicv2" : "virt-gicv3";
    add_reserved({arch::virt_to_phys(__kernel_start), static_cast<u64>(__kernel_end - __kernel_start)});
    add_reserved(tree.initrd);
    for (size_t i = 0; i < tree.reserved_count; ++i) add_reserved(tree.reserved[i]);
    if (std::string_view const text = tree.command_line; !text.empty()) {
        auto* const copy = static_cast<char*>(boot_allocate(text.size(), 1));
        std::copy_n(text.data(), text.size(), copy);
        info.command_line = {copy, text.size()};
    }
}

}  // namespace tutti::platform

tutti::hal::BootInfo const& tutti::hal::boot_info() { return platform::info; }
