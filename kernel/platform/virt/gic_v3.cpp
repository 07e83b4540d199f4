// SPDX-License-Identifier: BSD-3-Clause
#include "arch/cpu.hpp"
#include "arch/mmio.hpp"
#include "arch/percpu.hpp"
#include "base/assert.hpp"
#include "hal/cpu.hpp"
#include "platform/virt/boot_memory.hpp"
#include "platform/virt/cpus.hpp"
#include "platform/virt/gic.hpp"
#include "platform/virt/gic_distributor.hpp"
#include "platform/virt/gic_v3.hpp"

namespace tutti::platform {
namespace {

// Distributor: what only this version has. The second frame of a redistributor has the common tables, too.
constexpr size_t kGroupModifier = 0x0d00;
constexpr size_t kRoute = 0x6000;
// Redistributor, first frame.
constexpr size_t kRedistributorType = 0x0008;
constexpr size_t kWaker = 0x0014;
constexpr size_t kFrame = 0x10000;

constexpr u32 kWritePending = 1u << 31;
constexpr u32 kSingleSecurityState = 1u << 6;  // GICD_CTLR.DS: group 0 is ours
constexpr u32 kAffinityRouting = 1u << 4;
constexpr u32 kSleep = 1u << 1;
constexpr u32 kChildrenAsleep = 1u << 2;

using namespace distributor;

constinit bool owns_group0 = false;
TUTTI_PERCPU Redistributor own_redistributor{};
struct Region {
    u8 volatile* registers;
    PhysAddr physical;
    u64 size;
};
constinit Region regions[GicDescription::kMaxRegions]{};
constinit size_t region_count = 0;

u64 read64(u8 volatile* at) { return arch::mmio_read<u64>(at); }

void wait_for_distributor() {
    while ((read(registers + kControl) & kWritePending) != 0) arch::pause();
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
    map(gic.distributor.base, kFrame);
    for (; region_count < gic.redistributor_regions; ++region_count) {
        PhysRange const& region = gic.redistributors[region_count];
        regions[region_count] = {static_cast<u8 volatile*>(boot_map_device(region.base, region.size)), region.base, region.size};
    }
    u32 const security = read(registers + kControl) & kSingleSecurityState;
    owns_group0 = security != 0;
    write(registers + kControl, security);
    wait_for_distributor();
    init_shared();
    wait_for_distributor();
    write(registers + kControl, security | kAffinityRouting | kEnableGroup1 | (owns_group0 ? kEnableGroup0 : 0));
    wait_for_distributor();
}

void init_cpu(u32 timer) {
    Redistributor const found = find_redistributor();
    *arch::percpu_address(own_redistributor) = found;
    u8 volatile* const redistributor = found.registers;
    write(redistributor + kWaker, read(redistributor + kWaker) & ~kSleep);
    while ((read(redistributor + kWaker) & kChildrenAsleep) != 0) arch::pause();
    u8 volatile* const own = redistributor + kFrame;
    if (owns_group0) write(own + kGroupModifier, 0);
    init_private(own, timer, owns_group0);

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

bool reaches(CpuId) { return true; }

void disable_everywhere(u32 interrupt) {
    disable(interrupt);
    wait_for_distributor();
}

void route(u32 interrupt, CpuId target, hal::TriggerMode mode) {
    disable_everywhere(interrupt);
    set_trigger(interrupt, mode);
    arch::mmio_write<u64>(registers + kRoute + 8 * interrupt, affinity_of(target));
    forget_pending(interrupt);
    enable(interrupt);
}

}  // namespace

Redistributor redistributor_of(CpuId cpu) { return *arch::percpu_address_in(hal::percpu_area(cpu), own_redistributor); }
u32 gic_v3_type() { return read(registers + kType); }

constinit GicOperations const kGicV3{init, init_cpu, acknowledge, end, take_non_maskable, send,
                                     shared_end, reaches, route, disable_everywhere, raise};

}  // namespace tutti::platform
