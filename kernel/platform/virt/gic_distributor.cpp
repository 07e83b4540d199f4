// SPDX-License-Identifier: BSD-3-Clause
#include "platform/virt/gic_distributor.hpp"

#include "platform/virt/boot_memory.hpp"
#include "platform/virt/gic.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::platform::distributor {
namespace {

constexpr u8 kPriorityNormal = 0xa0;
constexpr u8 kPriorityNonMaskable = 0x20;

// Sixteen interrupts share a word of triggers.
constinit smp::SpinLock trigger_lock{smp::LockRank::InterruptController, "interrupt triggers"};

u32 groups_of_32() { return (read(registers + kType) & 0x1f) + 1; }

void write_bit(size_t table, u32 interrupt) { write(registers + table + 4 * (interrupt / 32), 1u << interrupt % 32); }

// 32 interrupts.
void init_group(u8 volatile* enable, u8 volatile* group, u8 volatile* priority) {
    write(enable, ~0u);
    write(group, ~0u);
    for (u32 i = 0; i < 8; ++i) write(priority + 4 * i, kPriorityNormal * 0x01010101u);
}

}  // namespace

constinit u8 volatile* registers = nullptr;

void map(PhysAddr physical, size_t size) { registers = static_cast<u8 volatile*>(boot_map_device(physical, size)); }

void init_shared() {
    for (u32 i = 1; i < groups_of_32(); ++i)
        init_group(registers + kClearEnable + 4 * i, registers + kGroup + 4 * i, registers + kPriority + 32 * i);
}

void init_private(u8 volatile* tables, u32 timer, bool owns_group0) {
    init_group(tables + kClearEnable, tables + kGroup, tables + kPriority);
    if (owns_group0) write(tables + kGroup, ~(1u << kNonMaskableInterrupt));
    arch::mmio_write<u8>(tables + kPriority + kNonMaskableInterrupt, kPriorityNonMaskable);
    write(tables + kSetEnable, 1u << kRescheduleInterrupt | 1u << kCallInterrupt | 1u << kNonMaskableInterrupt | 1u << timer);
}

u32 shared_end() {
    u32 const count = 32 * groups_of_32();
    return count < kFirstSpurious ? count : kFirstSpurious;
}

void enable(u32 interrupt) { write_bit(kSetEnable, interrupt); }
void disable(u32 interrupt) { write_bit(kClearEnable, interrupt); }
void raise(u32 interrupt) { write_bit(kSetPending, interrupt); }
void forget_pending(u32 interrupt) { write_bit(kClearPending, interrupt); }

void set_trigger(u32 interrupt, hal::TriggerMode mode) {
    constexpr u32 kEdge = 2;
    u8 volatile* const word = registers + kTrigger + 4 * (interrupt / 16);
    unsigned const shift = 2 * (interrupt % 16);
    smp::SpinIrqGuard const guard{trigger_lock};
    u32 const others = read(word) & ~(3u << shift);
    write(word, others | (mode == hal::TriggerMode::Edge ? kEdge << shift : 0));
}

}  // namespace tutti::platform::distributor
