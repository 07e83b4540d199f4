// SPDX-License-Identifier: BSD-3-Clause
#include <atomic>

#include "arch/cpu.hpp"
#include "arch/mmio.hpp"
#include "arch/percpu.hpp"
#include "base/assert.hpp"
#include "hal/cpu.hpp"
#include "platform/virt/boot_memory.hpp"
#include "platform/virt/cpus.hpp"
#include "platform/virt/gic.hpp"
#include "platform/virt/gic_v3.hpp"

namespace tutti::platform {
namespace {

// Distributor; the second frame of a redistributor has the same for its 32 private interrupts.
constexpr size_t kControl = 0x0000;
constexpr size_t kType = 0x0004;
constexpr size_t kGroup = 0x0080;
constexpr size_t kSetEnable = 0x0100;
constexpr size_t kClearEnable = 0x0180;
constexpr size_t kSetPending = 0x0200;
constexpr size_t kClearPending = 0x0280;
constexpr size_t kPriority = 0x0400;
constexpr size_t kTrigger = 0x0c00;
constexpr size_t kGroupModifier = 0x0d00;
constexpr size_t kRoute = 0x6000;
// Redistributor, first frame.
constexpr size_t kRedistributorType = 0x0008;
constexpr size_t kWaker = 0x0014;
constexpr size_t kFrame = 0x10000;

constexpr u32 kWritePending = 1u << 31;
constexpr u32 kSingleSecurityState = 1u << 6;  // GICD_CTLR.DS: group 0 is ours
constexpr u32 kAffinityRouting = 1u << 4;
constexpr u32 kEnableGroup1 = 1u << 1;
constexpr u32 kEnableGroup0 = 1u << 0;
constexpr u32 kSleep = 1u << 1;
constexpr u32 kChildrenAsleep = 1u << 2;
constexpr u8 kPriorityNormal = 0xa0;
constexpr u8 kPriorityNonMaskable = 0x20;

constinit u8 volatile* distributor = nullptr;
constinit bool owns_group0 = false;
TUTTI_PERCPU Redistributor own_redistributor{};
struct Region {
    u8 volatile* registers;
    PhysAddr physical;
    u64 size;
};
constinit Region regions[GicDescription::kMaxRegions]{};
constinit size_t region_count = 0;

u32 read(u8 volatile* at) { return arch::mmio_read<u32>(at); }
void write(u8 volatile* at, u32 value) { arch::mmio_write<u32>(at, value); }
u64 read64(u8 volatile* at) { return arch::mmio_read<u64>(at); }

void wait_for_distributor() {
    while ((read(distributor + kControl) & kWritePending) != 0) arch::pause();
}

// The redistributor whose affinity is this CPU's.
Redistributor find_redistributor() {
    u64 const affinity = arch::read_affinity();
    u32 const wanted = static_cast<u32>((affinity >> 32 & 0xff) << 24 | (affinity & 0xffffff));
    for (size_t i = 0; i < region_count; ++i) {
        for (u64 offset = 0; offset + 2 * kFrame <= regions[i].size;) {
            u8 volatile* const at = regions[i].registers + offset;
            u64 const type = read64(at + kRedistributorType);
            if (type >> 32 == wanted) return {at, regions[i].physical + offset};
            if ((type & 1u << 4) != 0) break;  // the last of its region
            offset += (type & 1u << 1) != 0 ? 4 * kFrame : 2 * kFrame;  // two more frames with virtual LPIs
        }
    }
    panic("the interrupt controller has no redistributor for the CPU with affinity {:#x}", affinity);
}

void init(GicDescription const& gic) {
    distributor = static_cast<u8 volatile*>(boot_map_device(gic.distributor.base, kFrame));
    for (; region_count < gic.redistributor_regions; ++region_count) {
        PhysRange const& region = gic.redistributors[region_count];
        regions[region_count] = {static_cast<u8 volatile*>(boot_map_device(region.base, region.size)), region.base, region.size};
    }
    u32 const security = read(distributor + kControl) & kSingleSecurityState;
    owns_group0 = security != 0;
    write(distributor + kControl, security);
    wait_for_distributor();
    u32 const words = (read(distributor + kType) & 0x1f) + 1;
    for (u32 i = 1; i < words; ++i) {
        write(distributor + kClearEnable + 4 * i, ~0u);
        write(distributor + kGroup + 4 * i, ~0u);
        for (u32 j = 0; j < 8; ++j) write(distributor + kPriority + 32 * i + 4 * j, kPriorityNormal * 0x01010101u);
    }
    wait_for_distributor();
    write(distributor + kControl, security | kAffinityRouting | kEnableGroup1 | (owns_group0 ? kEnableGroup0 : 0));
    wait_for_distributor();
}

void init_cpu(u32 timer) {
    Redistributor const found = find_redistributor();
    *arch::percpu_address(own_redistributor) = found;
    u8 volatile* const redistributor = found.registers;
    write(redistributor + kWaker, read(redistributor + kWaker) & ~kSleep);
    while ((read(redistributor + kWaker) & kChildrenAsleep) != 0) arch::pause();
    u8 volatile* const own = redistributor + kFrame;
    write(own + kClearEnable, ~0u);
    write(own + kGroup, owns_group0 ? ~(1u << kNonMaskableInterrupt) : ~0u);
    if (owns_group0) write(own + kGroupModifier, 0);
    for (u32 j = 0; j < 8; ++j) write(own + kPriority + 4 * j, kPriorityNormal * 0x01010101u);
    arch::mmio_write<u8>(own + kPriority + kNonMaskableInterrupt, kPriorityNonMaskable);
    write(own + kSetEnable, 1u << kRescheduleInterrupt | 1u << kCallInterrupt | 1u << kNonMaskableInterrupt | 1u << timer);

    u64 enabled;
    asm volatile("mrs %0, icc_sre_el1" : "=r"(enabled));
    asm volatile("msr icc_sre_el1, %0; isb" ::"r"(enabled | 1) : "memory");
    asm volatile("mrs %0, icc_sre_el1" : "=r"(enabled));
    CHECK((enabled & 1) != 0, "firmware keeps the registers of the interrupt controller from the kernel (ICC_SRE_EL1)");
    asm volatile("msr icc_pmr_el1, %0" ::"r"(u64{0xf0}) : "memory");
    asm volatile("msr icc_bpr1_el1, xzr" ::: "memory");
    asm volatile("msr icc_ctlr_el1, xzr" ::: "memory");
    if (owns_group0) asm volatile("msr icc_igrpen0_el1, %0" ::"r"(u64{1}) : "memory");
    asm volatile("msr icc_igrpen1_el1, %0; isb" ::"r"(u64{1}) : "memory");
}

ISR_SAFE Acknowledged acknowledge() {
    u64 value;
    asm volatile("mrs %0, icc_iar1_el1; dsb sy" : "=r"(value)::"memory");
    return {static_cast<u32>(value), static_cast<u32>(value) & 0xffffff};
}

ISR_SAFE void end(Acknowledged interrupt) {
    asm volatile("msr icc_eoir1_el1, %0; isb" ::"r"(u64{interrupt.raw}) : "memory");
}

ISR_SAFE bool take_non_maskable() {
    u64 value;
    asm volatile("mrs %0, icc_iar0_el1; dsb sy" : "=r"(value)::"memory");
    if ((value & 0xffffff) >= kFirstSpurious) return false;
    asm volatile("msr icc_eoir0_el1, %0; isb" ::"r"(value) : "memory");
    return true;
}

ISR_SAFE void send(CpuId target, u32 interrupt) {
    u64 const affinity = affinity_of(target);
    u64 const aff0 = affinity & 0xff;
    u64 const request = (affinity >> 32 & 0xff) << 48 | (aff0 >> 4) << 44 | (affinity >> 16 & 0xff) << 32 |
                        u64{interrupt} << 24 | (affinity >> 8 & 0xff) << 16 | u64{1} << (aff0 & 15);
    // What the interrupt is about is visible before it.
    arch::store_barrier();
    if (interrupt == kNonMaskableInterrupt && owns_group0)
        asm volatile("msr icc_sgi0r_el1, %0; isb" ::"r"(request) : "memory");
    else
        asm volatile("msr icc_sgi1r_el1, %0; isb" ::"r"(request) : "memory");
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

bool reaches(CpuId) { return true; }

void disable(u32 interrupt) {
    write(word_of(kClearEnable, interrupt), bit_of(interrupt));
    wait_for_distributor();
}

void route(u32 interrupt, CpuId target, hal::TriggerMode mode) {
    disable(interrupt);
    set_trigger(interrupt, mode);
    arch::mmio_write<u64>(distributor + kRoute + 8 * interrupt, affinity_of(target));
    write(word_of(kClearPending, interrupt), bit_of(interrupt));
    write(word_of(kSetEnable, interrupt), bit_of(interrupt));
}

void raise(u32 interrupt) { write(word_of(kSetPending, interrupt), bit_of(interrupt)); }

}  // namespace

Redistributor redistributor_of(CpuId cpu) { return *arch::percpu_address_in(hal::percpu_area(cpu), own_redistributor); }
u32 gic_v3_type() { return read(distributor + kType); }

constinit GicOperations const kGicV3{init, init_cpu, acknowledge, end, take_non_maskable, send,
                                     shared_end, reaches, route, disable, raise};

}  // namespace tutti::platform
