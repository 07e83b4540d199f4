// SPDX-License-Identifier: BSD-3-Clause
#include "arch/cpu.hpp"
#include "arch/mmio.hpp"
#include "arch/percpu.hpp"
#include "base/assert.hpp"
#include "hal/cpu.hpp"
#include "platform/virt/boot_memory.hpp"
#include "platform/virt/gic.hpp"
#include "platform/virt/gic_distributor.hpp"

namespace tutti::platform {
namespace {

// Distributor: what only this version has.
constexpr size_t kTargets = 0x800;
constexpr size_t kSoftware = 0xf00;
// CPU interface.
constexpr size_t kCpuControl = 0x00;
constexpr size_t kPriorityMask = 0x04;
constexpr size_t kBinaryPoint = 0x08;
constexpr size_t kAcknowledge = 0x0c;
constexpr size_t kEnd = 0x10;
constexpr size_t kHighestPending = 0x18;

constexpr u32 kAcknowledgeAny = 1u << 2;  // AckCtl: one register acknowledges both groups
constexpr u32 kGroup0IsFiq = 1u << 3;

using namespace distributor;

constinit u8 volatile* cpu_interface = nullptr;
TUTTI_PERCPU u8 target_mask = 0;  // this CPU in a list of targets

void init(GicDescription const& gic) {
    map(gic.distributor.base, kPageSize);
    cpu_interface = static_cast<u8 volatile*>(boot_map_device(gic.cpu_interface.base, kPageSize));
    write(registers + kControl, 0);
    init_shared();
    write(registers + kControl, kEnableGroup0 | kEnableGroup1);
}

// The registers of private interrupts are each CPU's own.
void init_cpu(u32 timer) {
    u8 mask = arch::mmio_read<u8>(registers + kTargets);
    if (mask == 0 && hal::cpu_count() == 1) mask = 1;  // with one CPU the register reads as zero (IHI 0048, 4.3.12)
    CHECK(mask != 0, "the interrupt controller does not know this CPU");
    arch::percpu_store(target_mask, mask);
    init_private(registers, timer, true);
    write(cpu_interface + kPriorityMask, 0xf0);
    write(cpu_interface + kBinaryPoint, 0);
    write(cpu_interface + kCpuControl, kEnableGroup0 | kEnableGroup1 | kAcknowledgeAny | kGroup0IsFiq);
}

ISR_SAFE Acknowledged acknowledge() {
    u32 const raw = read(cpu_interface + kAcknowledge);
    return {raw, raw & 0x3ff};
}
ISR_SAFE void end(Acknowledged interrupt) { write(cpu_interface + kEnd, interrupt.raw); }

// With kAcknowledgeAny an interrupt of group 1 could be acknowledged here, and would be lost.
ISR_SAFE bool take_non_maskable() {
    if ((read(cpu_interface + kHighestPending) & 0x3ff) != kNonMaskableInterrupt) return false;
    end(acknowledge());
    return true;
}

ISR_SAFE u8 targets_of(CpuId cpu) { return *arch::percpu_address_in(hal::percpu_area(cpu), target_mask); }

ISR_SAFE void send(CpuId target, u32 interrupt) {
    u8 const mask = targets_of(target);
    // What the interrupt is about is visible before it.
    arch::store_barrier();
    write(registers + kSoftware, u32{mask} << 16 | interrupt);
}

bool reaches(CpuId cpu) { return targets_of(cpu) != 0; }

void route(u32 interrupt, CpuId target, hal::TriggerMode mode) {
    disable(interrupt);
    set_trigger(interrupt, mode);
    arch::mmio_write<u8>(registers + kTargets + interrupt, targets_of(target));
    forget_pending(interrupt);
    enable(interrupt);
}

}  // namespace

constinit GicOperations const kGicV2{init, init_cpu, acknowledge, end, take_non_maskable, send,
                                     shared_end, reaches, route, disable, raise};

}  // namespace tutti::platform
