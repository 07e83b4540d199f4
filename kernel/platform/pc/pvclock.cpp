// SPDX-License-Identifier: BSD-3-Clause
#include "platform/pc/pvclock.hpp"

#include "arch/cpu.hpp"
#include "arch/memory_layout.hpp"
#include "platform/pc/hypervisor.hpp"

namespace tutti::platform {
namespace {

constexpr u32 kMsrSystemTime = 0x4b564d01;
constexpr u32 kFeatureClockSource2 = 1u << 3;
constexpr u64 kEnable = 1;

// Of its own cache line and page offset: the host writes it.
alignas(64) constinit PvClockTime time{};

}  // namespace

u64 kvm_counter_frequency() {
    u32 const leaves = find_hypervisor("KVMKVMKVM\0\0\0");
    if (leaves == 0 || (arch::cpuid(leaves + 1).eax & kFeatureClockSource2) == 0) return 0;
    arch::write_msr(kMsrSystemTime, arch::virt_to_phys(&time).value() | kEnable);
    // The host has filled it in when the write returns, and writes again whenever it likes until it is told to stop.
    arch::write_msr(kMsrSystemTime, 0);
    return pvclock_frequency(pvclock_read(&time));
}

}  // namespace tutti::platform
