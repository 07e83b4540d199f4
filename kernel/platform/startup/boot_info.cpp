// SPDX-License-Identifier: BSD-3-Clause
#include "platform/startup/boot_info.hpp"

#include <algorithm>

#include "arch/memory_layout.hpp"
#include "base/assert.hpp"
#include "base/bits.hpp"
#include "hal/boot_info.hpp"
#include "platform/startup/boot_allocator.hpp"

extern "C" char __kernel_start[];
extern "C" char __kernel_end[];

namespace tutti::platform {
namespace {

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

void boot_info_init(std::span<PhysRange const> ram, PhysRange initrd, std::string_view command_line) {
    auto* const ranges = static_cast<PhysRange*>(boot_allocate(ram.size_bytes(), alignof(PhysRange)));
    std::copy(ram.begin(), ram.end(), ranges);
    info.ram = {ranges, ram.size()};
    info.initrd = initrd;
    info.cpu_count = 1;
    add_reserved({arch::virt_to_phys(__kernel_start), static_cast<u64>(__kernel_end - __kernel_start)});
    add_reserved(initrd);
    if (!command_line.empty()) {
        auto* const copy = static_cast<char*>(boot_allocate(command_line.size(), 1));
        std::copy(command_line.begin(), command_line.end(), copy);
        info.command_line = {copy, command_line.size()};
    }
}

void set_cpu_count(u32 count) { info.cpu_count = count; }
void set_platform_name(char const* name) { info.platform = name; }

}  // namespace tutti::platform

tutti::hal::BootInfo const& tutti::hal::boot_info() { return platform::info; }
