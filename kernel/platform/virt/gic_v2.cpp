// SPDX-License-Identifier: BSD-3-Clause
#include <atomic>

#include "arch/cpu.hpp"
#include "arch/mmio.hpp"
#include "arch/percpu.hpp"
#include "base/assert.hpp"
#include "hal/cpu.hpp"
#include "platform/virt/boot_memory.hpp"
#include "platform/virt/gic.hpp"

namespace tutti::platform {
namespace {

// Distributor.
constexpr size_t kControl = 0x000;
constexpr size_t kType = 0x004;
constexpr size_t kGroup = 0x080;
constexpr size_t kSetEnable = 0x100;
constexpr size_t kClearEnable = 0x180;
constexpr size_t kSetPending = 0x200;
constexpr size_t kClearPending = 0x280;
constexpr size_t kPriority = 0x400;
constexpr size_t kTargets = 0x800;
constexpr size_t kTrigger = 0xc00;
constexpr size_t kSoftware = 0xf00;
// CPU interface.
constexpr size_t kCpuControl = 0x00;
constexpr size_t kPriorityMask = 0x04;
constexpr size_t kBinaryPoint = 0x08;
constexpr size_t kAcknowledge = 0x0c;
constexpr size_t kEnd = 0x10;
constexpr size_t kHighestPending = 0x18;

constexpr u32 kEnableGroup0 = 1u << 0;
constexpr u32 kEnableGroup1 = 1u << 1;
constexpr u32 kAcknowledgeAny = 1u << 2;  // AckCtl: one register acknowledges both groups
constexpr u32 kGroup0IsFiq = 1u << 3;
constexpr u8 kPriorityNormal = 0xa0;
constexpr u8 kPriorityNonMaskable = 0x20;

constinit u8 volatile* distributor = nullptr;
constinit u8 volatile* cpu_interface = nullptr;
TUTTI_PERCPU u8 target_mask = 0;  // this CPU in a list of targets

u32 read(u8 volatile* at) { return arch::mmio_read<u32>(at); }
void write(u8 volatile* at, u32 value) { arch::mmio_write<u32>(at, value); }

void init(GicDescription const& gic) {
    distributor = static_cast<u8 volatile*>(boot_map_device(gic.distributor.base, kPageSize));
    cpu_interface = static_cast<u8 volatile*>(boot_map_device(gic.cpu_interface.base, kPageSize));
    write(distributor + kControl, 0);
    u32 const words = (read(distributor + kType) & 0x1f) + 1;
    for (u32 i = 1; i < words; ++i) {
        write(distributor + kClearEnable + 4 * i, ~0u);
        write(distributor + kGroup + 4 * i, ~0u);
        for (u32 j = 0; j < 8; ++j) write(distributor + kPriority + 32 * i + 4 * j, kPriorityNormal * 0x01010101u);
    }
    write(distributor + kControl, kEnableGroup0 | kEnableGroup1);
}

// The registers of private interrupts are each CPU's own.
void init_cpu(u32 timer) {
    u8 mask = arch::mmio_read<u8>(distributor + kTargets);
    if (mask == 0 && hal::cpu_count() == 1) mask = 1;  // with one CPU the register reads as zero (IHI 0048, 4.3.12)
    CHECK(mask != 0, "the interrupt controller does not know this CPU");
    arch::percpu_store(target_mask, mask);
    write(distributor + kClearEnable, ~0u);
    write(distributor + kGroup, ~(1u << kNonMaskableInterrupt));
    for (u32 j = 0; j < 8; ++j) write(distributor + kPriority + 4 * j, kPriorityNormal * 0x01010101u);
    arch::mmio_write<u8>(distributor + kPriority + kNonMaskableInterrupt, kPriorityNonMaskable);
    write(distributor + kSetEnable,
          1u << kRescheduleInterrupt | 1u << kCallInterrupt | 1u << kNonMaskableInterrupt | 1u << timer);
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
    write(distributor + kSoftware, u32{mask} << 16 | interrupt);
}


u32 shared_end() {
    u32 const count = 32 * ((read(distributor + kType) & 0x1f) + 1);
    return count < kFirstSpurious ? count : kFirstSpurious;
}

u8 volatile* word_of(size_t table, u32 interrupt) { return distributor + table + 4 * (interrupt / 32); }
u32 bit_of(u32 interrupt) { return 1u << interrupt % 32; }

// Sixteen interrupts share a word of triggers.
constinit std::atomic_flag changing_trigger;
void set_trigger(u32 interrupt, hal::TriggerMode mode) {
    constexpr u32 kEdge = 2;
    u8 volatile* const word = distributor + kTrigger + 4 * (interrupt / 16);
    unsigned const shift = 2 * (interrupt % 16);
    auto const state = arch::disable_interrupts();
    // acquire/release: the accesses stay between the two.
    while (changing_trigger.test_and_set(std::memory_order_acquire)) arch::pause();
    u32 const others = read(word) & ~(3u << shift);
    write(word, others | (mode == hal::TriggerMode::Edge ? kEdge << shift : 0));
    changing_trigger.clear(std::memory_order_release);
    arch::restore_interrupts(state);
}

bool reaches(CpuId cpu) { return targets_of(cpu) != 0; }

void disable(u32 interrupt) { write(word_of(kClearEnable, interrupt), bit_of(interrupt)); }

void route(u32 interrupt, CpuId target, hal::TriggerMode mode) {
    disable(interrupt);
    set_trigger(interrupt, mode);
    arch::mmio_write<u8>(distributor + kTargets + interrupt, targets_of(target));
    write(word_of(kClearPending, interrupt), bit_of(interrupt));
    write(word_of(kSetEnable, interrupt), bit_of(interrupt));
}

void raise(u32 interrupt) { write(word_of(kSetPending, interrupt), bit_of(interrupt)); }

}  // namespace

constinit GicOperations const kGicV2{init, init_cpu, acknowledge, end, take_non_maskable, send,
                                     shared_end, reaches, route, disable, raise};

}  // namespace tutti::platform
