// SPDX-License-Identifier: BSD-3-Clause
#include "platform/linuxu/memory.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>

#include "arch/host_call.hpp"
#include "arch/memory_layout.hpp"
#include "base/assert.hpp"
#include "base/bits.hpp"
#include "hal/boot_info.hpp"
#include "mem/paging/kernel_map.hpp"
#include "mem/stack/kernel_stack.hpp"

namespace tutti::platform {
namespace {

// As in a machine, the first page is nobody's: physical address 0 never names a frame.
constexpr u64 kFirstAddress = kPageSize;

constinit PhysRange ram{};
constinit hal::BootInfo info{};

// False when the host has no such memory, or something lies there.
bool map_at(u64 address, u64 size, u64 extra_flags) {
    i64 const result = arch::host_call(SYS_mmap, address, size, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | extra_flags, ~u64{0}, 0);
    return result == static_cast<i64>(address);
}

}  // namespace

void memory_init(Options const& options) {
    CHECK(map_at(arch::kDirectMapBase, kFirstAddress + options.memory, MAP_FIXED_NOREPLACE),
          "no {} MiB of address space for RAM at {:#x}", options.memory >> 20, arch::kDirectMapBase);
    ram = {PhysAddr{kFirstAddress}, options.memory};
    info.ram = {&ram, 1};
    info.command_line = options.kernel_arguments;
    info.cpu_count = options.cpus;
    info.platform = "linuxu";
}

void* host_allocate(u64 size) {
    i64 const result = arch::host_call(SYS_mmap, 0, align_up(size, kPageSize), PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS, ~u64{0}, 0);
    CHECK(result > 0, "the host has no memory left");
    return reinterpret_cast<void*>(result);
}

}  // namespace tutti::platform

namespace tutti::hal {
BootInfo const& boot_info() { return platform::info; }
}  // namespace tutti::hal

namespace tutti::mem {
void kernel_map_init() {}
// No page tables of ours: a mapping of the process. What lies below it is not mapped, or is the next stack's guard.
Result<> back_kernel_stack(VirtAddr bottom) {
    if (!platform::map_at(bottom.value(), arch::kKernelStackSize, MAP_FIXED_NOREPLACE)) return fail(Error::NoMemory);
    return {};
}
}  // namespace tutti::mem
