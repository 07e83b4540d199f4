// SPDX-License-Identifier: BSD-3-Clause
#include "platform/pc/cpus.hpp"

#include <atomic>
#include <cstring>

#include "arch/cpu.hpp"
#include "arch/fpu.hpp"
#include "arch/memory_layout.hpp"
#include "arch/percpu.hpp"
#include "arch/traps.hpp"
#include "base/assert.hpp"
#include "base/bits.hpp"
#include "base/log.hpp"
#include "hal/clock.hpp"
#include "hal/cpu.hpp"
#include "platform/pc/boot_memory.hpp"
#include "platform/pc/clock.hpp"
#include "platform/pc/hypervisor.hpp"
#include "platform/pc/local_apic.hpp"
#include "platform/startup/boot_allocator.hpp"
#include "platform/startup/boot_info.hpp"
#include "platform/xen/event_channels.hpp"
#include "platform/xen/vcpus.hpp"
#include "platform/xen/xen.hpp"

extern "C" {
extern char ap_trampoline_start[];
extern char ap_trampoline_end[];
extern char ap_upper_half[];
// Parameters of the trampoline, at known places in its copy.
extern char ap_trampoline_root[];
// Shared with ap_entry.S.
tutti::u64 ap_kernel_root = 0;
void** ap_stack_tops = nullptr;
tutti::u64 ap_stack_count = 0;
std::atomic<tutti::u64> ap_next_stack{0};
}

namespace tutti::platform {
namespace {

constexpr u64 kBootStackSize = 16384;
constexpr u64 kTrampolinePage = 0x8000;

struct CpuIds {
    u32 apic;
    u32 processor;
};
// A list that grows before any allocator exists: one boot page holds hundreds, chained when full.
struct CpuPage {
    static constexpr u32 kCapacity = (kPageSize - 16) / sizeof(CpuIds);
    CpuPage* next;
    u32 count;
    CpuIds ids[kCapacity];
};
constinit CpuPage* first_page = nullptr;
constinit CpuPage* last_page = nullptr;
constinit u32 listed = 0;

constinit CpuIds* ids = nullptr;    // by CpuId
constinit void** areas = nullptr;   // by CpuId
constinit u32 count = 1;
constinit arch::ExceptionStacks* exception_stacks = nullptr;  // by CpuId
constinit void (*secondary_entry)() = nullptr;

u32 initial_apic_id() {
    if (arch::cpuid(0).eax >= 0xb)
        if (auto const leaf = arch::cpuid(0xb); leaf.ebx != 0) return leaf.edx;
    return arch::cpuid(1).ebx >> 24;
}

void install_area(u32 index) {
    arch::percpu_install(areas[index], index);
    arch::traps_init_cpu(index, exception_stacks[index]);
}

}  // namespace

void add_cpu(u32 apic_id, u32 processor_id) {
    if (last_page == nullptr || last_page->count == CpuPage::kCapacity) {
        auto* const page = static_cast<CpuPage*>(boot_allocate(sizeof(CpuPage), kPageSize));
        (last_page == nullptr ? first_page : last_page->next) = page;
        last_page = page;
    }
    last_page->ids[last_page->count++] = {apic_id, processor_id};
    ++listed;
}

void cpus_init() {
    u32 const self = initial_apic_id();
    count = 1;
    ids = static_cast<CpuIds*>(boot_allocate((listed + 1) * sizeof(CpuIds), alignof(CpuIds)));
    ids[0] = {self, 0};
    for (CpuPage* page = first_page; page != nullptr; page = page->next)
        for (u32 i = 0; i < page->count; ++i) {
            CpuIds const& found = page->ids[i];
            bool known = false;  // tables may list a CPU twice (local APIC and x2APIC entries)
            for (u32 j = 0; j < count && !known; ++j) known = ids[j].apic == found.apic;
            if (!known) ids[count++] = found;
            if (found.apic == self) ids[0] = found;
        }
    areas = static_cast<void**>(boot_allocate(count * sizeof(void*), alignof(void*)));
    u64 const stride = align_up(u64{arch::percpu_size()}, kCacheLine);
    auto* const memory = static_cast<char*>(boot_allocate(stride * count, kPageSize));
    exception_stacks = static_cast<arch::ExceptionStacks*>(
        boot_allocate(count * sizeof(arch::ExceptionStacks), alignof(arch::ExceptionStacks)));
    ap_stack_tops = static_cast<void**>(boot_allocate(count * sizeof(void*), alignof(void*)));
    ap_stack_count = count - 1;
    for (u32 i = 0; i < ap_stack_count; ++i) ap_stack_tops[i] = boot_stack(kBootStackSize);
    for (u32 i = 0; i < count; ++i) {
        for (void*& top : exception_stacks[i].tops) top = boot_stack(arch::ExceptionStacks::kSize);
        areas[i] = memory + stride * i;
        std::memcpy(areas[i], __percpu_start, arch::percpu_size());
    }
    install_area(0);
    set_cpu_count(count);
}

ISR_SAFE u32 apic_id_of(CpuId cpu) { return ids[cpu.value()].apic; }
u32 processor_id_of(CpuId cpu) { return ids[cpu.value()].processor; }

// First C++ of a secondary CPU, on the boot stack it drew.
extern "C" [[noreturn]] void ap_main() {
    u32 const id = initial_apic_id();
    u32 index = 0;
    while (index < count && ids[index].apic != id) ++index;
    if (index == count) arch::halt_forever();  // a CPU that the tables did not list: nothing can be done with it
    install_area(index);
    arch::fpu_init_cpu();
    local_apic::init_cpu();
    clock_init_cpu();
    if (xen::present()) xen::event_channels_init_cpu(ids[index].processor, local_apic::kEventVector);
    secondary_entry();  // written before our SIPI was sent
    arch::halt_forever();
}

}  // namespace tutti::platform

namespace tutti::hal {

using namespace platform;

ISR_SAFE u32 cpu_count() { return count; }
// The bit that processors leave clear and hypervisors set (CPUID leaf 1, ECX bit 31).
ISR_SAFE bool is_virtual_machine() { return (arch::cpuid(1).ecx & (1u << 31)) != 0; }
ISR_SAFE void* percpu_area(CpuId cpu) { return areas[cpu.value()]; }

void start_secondary_cpus(void (*entry)()) {
    if (count == 1) return;
    secondary_entry = entry;
    ap_kernel_root = kernel_root().value();
    if (xen::present()) {
        for (u32 i = 1; i < count; ++i)
            if (i64 const error = xen::start_vcpu(ids[i].processor, ap_upper_half, kernel_root()); error != 0)
                log_error("CPU {} (vCPU {} of Xen) does not start: error {}", i, ids[i].processor, error);
        return;
    }
    auto* const copy = arch::phys_to_virt<char>(PhysAddr{kTrampolinePage});
    std::memcpy(copy, ap_trampoline_start, static_cast<size_t>(ap_trampoline_end - ap_trampoline_start));
    u32 const root = static_cast<u32>(prepare_startup_root().value());
    std::memcpy(copy + (ap_trampoline_root - ap_trampoline_start), &root, sizeof root);

    constexpr u8 kPage = kTrampolinePage >> 12;
    if (is_virtual_machine()) {
        // Two commands start them all, at the first attempt. A CPU that is not listed halts (ap_entry.S, ap_main()).
        local_apic::send_init_to_others();
        delay(Nanoseconds::from_us(20));
        local_apic::send_startup_to_others(kPage);
        return;
    }
    // Real machines may hold CPUs that must be left alone, and want pauses and a second SIPI (SDM vol. 3, 8.4.4.1).
    auto const start_all = [] {
        for (u32 i = 1; i < count; ++i) local_apic::send_startup(ids[i].apic, kPage);
    };
    for (u32 i = 1; i < count; ++i) local_apic::send_init(ids[i].apic);
    delay(Nanoseconds::from_ms(10));
    start_all();
    delay(Nanoseconds::from_us(200));
    start_all();
}

}  // namespace tutti::hal
