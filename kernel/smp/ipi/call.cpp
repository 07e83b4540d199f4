// SPDX-License-Identifier: BSD-3-Clause
// Calls by source: each CPU has one slot for the call it is making and, as a target, one bit for each source.
//
//   source                                        target
//     own slot = function, argument, count          (interrupt) bits = exchange(pending, 0)
//     set own bit in each target's `pending`        for each bit: run that source's slot, count - 1
//     interrupt, unless the word had bits already
//     wait until count == 0
//
// Memory is one bit per pair of CPUs, a call allocates nothing, and calls from different CPUs do not meet.
#include "smp/ipi/call.hpp"

#include "base/atomic_bitmap.hpp"
#include "hal/interrupts.hpp"
#include "smp/spin/lock_debug.hpp"

namespace tutti::smp {

struct CallInbox {
    MpscQueue<CallRequest, &CallRequest::node_> requests;
    std::atomic<u64>* pending = nullptr;  // a bit for each source CPU

    ISR_SAFE void run_requests() {
        CallRequest* request = requests.take_all();
        while (request != nullptr) {
            CallRequest* const next = requests.next(*request);
            CallFunction const function = request->function_;
            void* const argument = request->argument_;
            // acquire: we see what the senders that found it busy wrote before; release: they may send it again.
            request->busy_.exchange(false, std::memory_order_acq_rel);
            function(argument);
            request = next;
        }
    }
};

namespace {

struct alignas(kCacheLine) CallSlot {
    CallFunction function = nullptr;
    void* argument = nullptr;
    std::atomic<u32> remaining{0};
};

// In `remaining` until the last target has been told; more than there are CPUs.
constexpr u32 kStillPosting = 1u << 31;

PERCPU_SECTION constinit PerCpu<CallSlot> g_slot;
PERCPU_SECTION constinit PerCpu<CallInbox> g_inbox;
constinit size_t g_words = 0;

ISR_SAFE void handle_call_interrupt(hal::IpiKind) {
    CallInbox& inbox = g_inbox.local(AssumeIrqOff{});
    for (size_t word = 0; word < g_words; ++word) {
        // acquire: pairs with the release in post(); the slot is filled.
        u64 bits = inbox.pending[word].load(std::memory_order_relaxed);
        if (bits != 0) bits = inbox.pending[word].exchange(0, std::memory_order_acquire);
        for (; bits != 0; bits &= bits - 1) {
            CpuId const source{static_cast<u32>(word * 64) + static_cast<u32>(std::countr_zero(bits))};
            CallSlot& slot = g_slot.on(source);
            slot.function(slot.argument);
            // release: what the function wrote is visible to the waiting source.
            slot.remaining.fetch_sub(1, std::memory_order_release);
        }
    }
    inbox.run_requests();
}

ISR_SAFE void post(CpuId source, CpuId target) {
    CallInbox& inbox = g_inbox.on(target);
    // release: the slot's contents go with the bit. Bits that were there have an interrupt on its way.
    u64 const before = inbox.pending[source.value() / 64].fetch_or(u64{1} << (source.value() % 64),
                                                                  std::memory_order_release);
    if (before == 0) hal::send_ipi(target, hal::IpiKind::Call);
}

template <class ForEachTarget>
void call_each(CallFunction function, void* argument, Wait wait, ForEachTarget&& for_each_target) {
    check_may_wait_for_cpus();
    PreemptGuard const guard;
    CpuId const self = this_cpu(guard);
    CallSlot& slot = g_slot.local(guard);
    // An earlier call that nobody waited for. acquire: pairs with the targets' decrements.
    while (slot.remaining.load(std::memory_order_acquire) != 0) arch::pause();

    slot.function = function;
    slot.argument = argument;
    slot.remaining.store(kStillPosting, std::memory_order_relaxed);  // published by post()
    bool run_here = false;
    u32 posted = 0;
    // Once: a set may change meanwhile, and who is in it all the time must be told.
    for_each_target([&](CpuId cpu) {
        if (cpu == self) {
            run_here = true;
            return;
        }
        post(self, cpu);
        ++posted;
    });
    // relaxed: goes on with the release sequences of the decrements before it.
    slot.remaining.fetch_sub(kStillPosting - posted, std::memory_order_relaxed);
    if (run_here) {
        IrqOffGuard const off;
        function(argument);
    }
    if (wait == Wait::Yes)
        while (slot.remaining.load(std::memory_order_acquire) != 0) arch::pause();
}

}  // namespace

void call_on(CpuId target, CallFunction function, void* argument, Wait wait) {
    call_each(function, argument, wait, [&](auto&& use) { use(target); });
}

void call_on_set(CpuSet const& targets, CallFunction function, void* argument, Wait wait) {
    call_each(function, argument, wait, [&](auto&& use) {
        targets.for_each([&](CpuId cpu) {
            if (is_online(cpu)) use(cpu);
        });
    });
}

void call_on_all(CallFunction function, void* argument, Wait wait) {
    call_each(function, argument, wait, [&](auto&& use) { for_each_online_cpu(use); });
}

void call_on_others(CallFunction function, void* argument, Wait wait) {
    PreemptGuard const guard;
    CpuId const self = this_cpu(guard);
    call_each(function, argument, wait, [&](auto&& use) {
        for_each_online_cpu([&](CpuId cpu) {
            if (cpu != self) use(cpu);
        });
    });
}

ISR_SAFE bool CallRequest::send(CpuId target) {
    // acq_rel: whoever finds it busy knows that the target will look at the data after this (run_requests).
    if (busy_.exchange(true, std::memory_order_acq_rel)) return false;
    if (g_inbox.on(target).requests.push(*this)) hal::send_ipi(target, hal::IpiKind::Call);
    return true;
}

Result<> calls_init() {
    g_words = AtomicBitmap::words_for(cpu_count());
    auto* const words = new (std::nothrow) std::atomic<u64>[g_words * cpu_count()]{};
    if (words == nullptr) return fail(Error::NoMemory);
    for_each_cpu([&](CpuId cpu) { g_inbox.on(cpu).pending = words + g_words * cpu.value(); });
    hal::set_ipi_handler(hal::IpiKind::Call, handle_call_interrupt);
    return {};
}

}  // namespace tutti::smp
