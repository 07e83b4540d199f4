// SPDX-License-Identifier: BSD-3-Clause
// Source: Xen, public/event_channel.h, public/xen.h (shared_info), public/vcpu.h, public/hvm/hvm_op.h.
#include "platform/xen/event_channels.hpp"

#include <atomic>
#include <bit>

#include "arch/cpu.hpp"
#include "arch/memory_layout.hpp"
#include "arch/percpu.hpp"
#include "base/assert.hpp"
#include "hal/boot_info.hpp"
#include "platform/pc/cpus.hpp"
#include "platform/startup/boot_allocator.hpp"
#include "platform/xen/hypercalls.hpp"
#include "platform/xen/shared_info.hpp"

namespace tutti::platform::xen {
namespace {

constexpr u64 kBindVirq = 1;
constexpr u64 kClose = 3;
constexpr u64 kSend = 4;
constexpr u64 kBindIpi = 7;
constexpr u64 kUnmask = 9;
constexpr u64 kRegisterVcpuInfo = 10;
constexpr u64 kSetUpcallVector = 23;
constexpr u32 kBits = 64;
constexpr u32 kPorts = SharedInfo::kWords * kBits;

// As in pc/interrupts.cpp: free when handler is null; the rest is written before the handler (release) and read after it
// (acquire).
struct Slot {
    std::atomic<hal::InterruptHandler> handler{nullptr};
    std::atomic<void*> argument{nullptr};
    std::atomic<u32> vcpu{0};
};
constinit Slot* slots = nullptr;  // by port

// Xen writes it. In a cache line of its own, so it lies in one page.
struct alignas(kCacheLine) OwnVcpuInfo {
    VcpuInfo info;
};
TUTTI_PERCPU OwnVcpuInfo vcpu_info{};
TUTTI_PERCPU u32 own_vcpu = 0;

Result<u32> open(u32 port, u32 vcpu, hal::InterruptHandler handler, void* argument) {
    CHECK(port < kPorts && slots[port].handler.load(std::memory_order_relaxed) == nullptr);
    slots[port].argument.store(argument, std::memory_order_relaxed);
    slots[port].vcpu.store(vcpu, std::memory_order_relaxed);
    slots[port].handler.store(handler, std::memory_order_release);
    u32 unmask = port;
    (void)xen_event_channel_op(kUnmask, &unmask);  // tells the CPU if something has come already
    return port;
}

}  // namespace

void event_channels_init() {
    slots = static_cast<Slot*>(boot_allocate(kPorts * sizeof(Slot), alignof(Slot)));
    for (auto& word : shared_info()->masked) word.store(~u64{0}, std::memory_order_relaxed);
}

void event_channels_init_cpu(u32 vcpu, u8 vector) {
    *arch::percpu_address(own_vcpu) = vcpu;
    VcpuInfo* const info = &arch::percpu_address(vcpu_info)->info;
    PhysAddr const place = arch::virt_to_phys(info);
    struct {
        u64 frame;
        u32 offset;
        u32 reserved;
    } request{FrameNumber::of(place).value(), static_cast<u32>(place.page_offset()), 0};
    i64 error = xen_vcpu_op(kRegisterVcpuInfo, vcpu, &request);
    CHECK(error == 0, "Xen does not take the event words of vCPU {}: error {}", vcpu, error);
    struct {
        u32 vcpu;
        u8 vector;
    } upcall{vcpu, vector};
    error = xen_hvm_op(kSetUpcallVector, &upcall);
    CHECK(error == 0, "Xen does not give vCPU {} an interrupt for events: error {}", vcpu, error);
}

ISR_SAFE void take_events() {
    VcpuInfo& info = arch::percpu_address(vcpu_info)->info;
    u32 const vcpu = *arch::percpu_address(own_vcpu);
    SharedInfo& shared = *shared_info();
    // In Xen's order backwards: port, word, CPU. What is set after we have looked raises the interrupt again.
    info.upcall_pending.exchange(0, std::memory_order_seq_cst);
    for (u64 words = info.pending_words.exchange(0, std::memory_order_seq_cst); words != 0; words &= words - 1) {
        u32 const word = static_cast<u32>(std::countr_zero(words));
        u64 bits = shared.pending[word].load(std::memory_order_seq_cst) & ~shared.masked[word].load(std::memory_order_relaxed);
        for (; bits != 0; bits &= bits - 1) {
            Slot& slot = slots[word * kBits + static_cast<u32>(std::countr_zero(bits))];
            // Pairs with the release in open().
            hal::InterruptHandler const handler = slot.handler.load(std::memory_order_acquire);
            if (handler == nullptr || slot.vcpu.load(std::memory_order_relaxed) != vcpu) continue;  // another CPU's
            // Cleared before the handler looks: an event that comes meanwhile counts again.
            shared.pending[word].fetch_and(~(u64{1} << std::countr_zero(bits)), std::memory_order_seq_cst);
            handler(slot.argument.load(std::memory_order_relaxed));
        }
    }
}

Result<u32> bind_virq(Virq virq, CpuId cpu, hal::InterruptHandler handler, void* argument) {
    struct {
        u32 virq;
        u32 vcpu;
        u32 port;
    } request{static_cast<u32>(virq), processor_id_of(cpu), 0};
    if (xen_event_channel_op(kBindVirq, &request) != 0) return fail(Error::Busy);
    return open(request.port, request.vcpu, handler, argument);
}

Result<u32> bind_ipi(CpuId cpu, hal::InterruptHandler handler, void* argument) {
    struct {
        u32 vcpu;
        u32 port;
    } request{processor_id_of(cpu), 0};
    if (xen_event_channel_op(kBindIpi, &request) != 0) return fail(Error::Busy);
    return open(request.port, request.vcpu, handler, argument);
}

ISR_SAFE void notify(u32 port) { (void)xen_event_channel_op(kSend, &port); }

void close_port(u32 port) {
    CHECK(port < kPorts);
    u64 const bit = u64{1} << port % kBits;
    shared_info()->masked[port / kBits].fetch_or(bit, std::memory_order_seq_cst);
    slots[port].handler.store(nullptr, std::memory_order_relaxed);
    (void)xen_event_channel_op(kClose, &port);
    shared_info()->pending[port / kBits].fetch_and(~bit, std::memory_order_seq_cst);
}

}  // namespace tutti::platform::xen
