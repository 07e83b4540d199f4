// SPDX-License-Identifier: BSD-3-Clause
#include "platform/virt/cpus.hpp"

#include <algorithm>
#include <cstring>

#include "arch/cpu.hpp"
#include "arch/memory_layout.hpp"
#include "arch/percpu.hpp"
#include "arch/traps.hpp"
#include "base/assert.hpp"
#include "base/bits.hpp"
#include "base/log.hpp"
#include "hal/cpu.hpp"
#include "platform/startup/boot_allocator.hpp"
#include "platform/virt/boot_memory.hpp"
#include "platform/virt/interrupts.hpp"
#include "platform/virt/psci.hpp"

extern "C" {
extern char secondary_entry[];
// Read by entry.S.
extern tutti::u64 secondary_root;
extern void** secondary_stack_tops;
}

namespace tutti::platform {
namespace {

constexpr u64 kBootStackSize = 16384;
constexpr u64 kOverflowStackSize = 8192;

constinit std::span<u64> affinities{};         // by CpuId
constinit void** areas = nullptr;              // by CpuId
constinit void** overflow_stacks = nullptr;    // by CpuId
constinit void (*entry_of_secondaries)() = nullptr;

void become_cpu(u32 index) {
    arch::percpu_install(areas[index], index);
    arch::traps_init_cpu(overflow_stacks[index]);
}

template <class T>
T* allocate_array(size_t count) {
    return static_cast<T*>(boot_allocate(count * sizeof(T), alignof(T)));
}

}  // namespace

void cpus_init(std::span<u64> found) {
    affinities = found;
    auto const self = std::find(affinities.begin(), affinities.end(), arch::read_affinity());
    CHECK(self != affinities.end(), "the device tree does not list the CPU that boots, with affinity {:#x}",
          arch::read_affinity());
    std::swap(affinities.front(), *self);
    size_t const count = affinities.size();
    for (size_t i = 1; i < count; ++i)
        for (size_t j = 0; j < i; ++j)
            CHECK(affinities[i] != affinities[j], "the device tree lists the CPU with affinity {:#x} twice", affinities[i]);
    areas = allocate_array<void*>(count);
    overflow_stacks = allocate_array<void*>(count);
    secondary_stack_tops = allocate_array<void*>(count);
    u64 const stride = align_up(u64{arch::percpu_size()}, kCacheLine);
    auto* const memory = static_cast<char*>(boot_allocate(stride * count, kPageSize));
    for (size_t i = 0; i < count; ++i) {
        if (i != 0) secondary_stack_tops[i] = boot_stack(kBootStackSize);
        overflow_stacks[i] = boot_stack(kOverflowStackSize);
        areas[i] = memory + stride * i;
        std::memcpy(areas[i], __percpu_start, arch::percpu_size());
    }
    become_cpu(0);
}

ISR_SAFE u64 affinity_of(CpuId cpu) { return affinities[cpu.value()]; }

// First C++ of a secondary CPU.
extern "C" [[noreturn]] void secondary_main(u64 index) {
    leave_startup_tables();
    become_cpu(static_cast<u32>(index));
    arch::write_timer_control(0);
    interrupts_init_cpu();
    entry_of_secondaries();
    arch::halt_forever();
}

}  // namespace tutti::platform

namespace tutti::hal {

using namespace platform;

ISR_SAFE u32 cpu_count() { return static_cast<u32>(std::max<size_t>(affinities.size(), 1)); }
ISR_SAFE bool is_virtual_machine() { return true; }  // the machine is one by definition
ISR_SAFE void* percpu_area(CpuId cpu) { return areas[cpu.value()]; }

void start_secondary_cpus(void (*entry)()) {
    entry_of_secondaries = entry;
    secondary_root = kernel_root().value();
    arch::clean_to_memory(&secondary_root);
    PhysAddr const start = arch::virt_to_phys(secondary_entry);
    for (size_t i = 1; i < affinities.size(); ++i)
        if (i64 const error = psci_start_cpu(affinities[i], start, i); error != 0)
            log_error("CPU {} (affinity {:#x}) does not start: PSCI error {}", i, affinities[i], error);
}

}  // namespace tutti::hal
