// SPDX-License-Identifier: BSD-3-Clause
#include "platform/pc/boot_info.hpp"

#include <algorithm>

#include "arch/memory_layout.hpp"
#include "base/assert.hpp"
#include "base/bits.hpp"
#include "platform/pc/boot_memory.hpp"

extern "C" char __kernel_start[];
extern "C" char __kernel_end[];

namespace tutti::platform {
namespace {

constexpr size_t kMaxReserved = 8;
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

void boot_info_init(StartInfo const& start) {
    auto* const ram = static_cast<PhysRange*>(boot_allocate(sizeof(PhysRange) * start.ram_count, alignof(PhysRange)));
    std::copy_n(start.ram, start.ram_count, ram);
    info.ram = {ram, start.ram_count};
    info.initrd = start.initrd;
    info.cpu_count = 1;
    // Firmware tables and the hand-over structures live in the first megabyte; it is left alone.
    add_reserved({PhysAddr{0}, 0x100000});
    u64 const image = reinterpret_cast<u64>(__kernel_start) - arch::kKernelImageBase;
    add_reserved({PhysAddr{image}, static_cast<u64>(__kernel_end - __kernel_start)});
    add_reserved(start.initrd);
    if (std::string_view const text = start.command_line; !text.empty()) {
        auto* const copy = static_cast<char*>(boot_allocate(text.size(), 1));
        std::copy_n(text.data(), text.size(), copy);
        info.command_line = {copy, text.size()};
    }
}

void set_cpu_count(u32 count) { info.cpu_count = count; }
void set_platform_name(char const* name) { info.platform = name; }

}  // namespace tutti::platform

tutti::hal::BootInfo const& tutti::hal::boot_info() { return platform::info; }
