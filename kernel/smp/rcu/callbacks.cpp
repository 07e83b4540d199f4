// SPDX-License-Identifier: BSD-3-Clause
// Deferred calls. Each CPU has a queue that only it touches, with interrupts off, and a thread that takes the whole queue,
// waits for one grace period and runs what it took: the more is deferred meanwhile, the fewer grace periods for each.
//
//   queued   counts what was deferred here      done   counts what has run      both only grow; the queue is in order, so
//   done >= n means that the first n have run, which is all that barrier() needs.
#include "hal/clock.hpp"
#include "arch/cpu.hpp"
#include "smp/rcu/rcu_internal.hpp"

namespace tutti::smp::rcu {

struct alignas(kCacheLine) CallbackQueue {
    // --- this CPU, interrupts off ---
    Callback* first = nullptr;
    Callback* last = nullptr;
    // --- written by this CPU, read by anybody ---
    std::atomic<u64> queued{0};
    std::atomic<u64> done{0};

    // How many wait now; `was_empty`: the worker may sleep.
    u64 append(Callback& callback, Callback::Function function, bool& was_empty, IrqOff const&) {
        CHECK(callback.function_ == nullptr, "a callback is deferred twice");
        callback.next_ = nullptr;
        callback.function_ = function;
        was_empty = first == nullptr;
        (was_empty ? first : last->next_) = &callback;
        last = &callback;
        u64 const count = queued.load(std::memory_order_relaxed) + 1;
        queued.store(count, std::memory_order_relaxed);
        return count - done.load(std::memory_order_relaxed);
    }
    Callback* take_all(IrqOff const&) {
        last = nullptr;
        return std::exchange(first, nullptr);
    }
    [[nodiscard]] u64 pending() const {
        // Both of one moment, in which nothing was done.
        for (u64 ran = done.load(std::memory_order_acquire);;) {
            u64 const all = queued.load(std::memory_order_acquire);
            u64 const now = done.load(std::memory_order_acquire);
            if (now == ran) return all - ran;
            ran = now;
        }
    }
    // Runs it; the callback is the function's from here on. Returns the one after it.
    static Callback* run(Callback& callback) {
        Callback* const next = callback.next_;
        Callback::Function const function = std::exchange(callback.function_, nullptr);
        PreemptGuard const guard;
        function(callback);
        return next;
    }
};

namespace {

PERCPU_SECTION constinit PerCpu<CallbackQueue> g_queue;

// The worker lets CPUs come by themselves for this long: callbacks are not urgent.
constexpr Nanoseconds kPatience = Nanoseconds::from_ms(10);
constexpr Nanoseconds kPoll = Nanoseconds::from_us(200);
constexpr u64 kCountEvery = 64;

// This CPU defers faster than grace periods pass: a thread that can wait does.
NOINLINE void push_back(CpuId cpu) {
    ISR_NOTE("thread-rung", "waits where the caller may block, and does nothing elsewhere");
    if (!arch::interrupts_enabled() || !may_block()) return;
    auto const* const hooks = detail::thread_hooks.load(std::memory_order_acquire);
    if (hooks == nullptr) return;
    // No deadlock: the worker and the callbacks wait for nothing that this thread may hold.
    while (g_queue.on(cpu).pending() >= kManyPending) hooks->sleep(kPoll);
}

}  // namespace

ISR_SAFE void defer(Callback& callback, Callback::Function function) {
    CpuId cpu;
    u64 pending = 0;
    {
        IrqOffGuard const here;
        cpu = this_cpu(here);
        bool was_empty = false;
        pending = g_queue.local(here).append(callback, function, was_empty, here);
        if (was_empty)
            // acquire: pairs with the release in set_thread_hooks().
            if (auto const* const hooks = detail::thread_hooks.load(std::memory_order_acquire)) hooks->wake_worker(cpu);
    }
    if (pending >= kManyPending) [[unlikely]] {
        if (pending % kManyPending == 0) expedite();
        push_back(cpu);
    }
}

bool has_callbacks(CpuId cpu) {
    // Only its own worker asks, to which wake_worker() has made the counts visible.
    return g_queue.on(cpu).pending() != 0;
}

void run_callbacks(CpuId cpu) {
    might_sleep();
    CallbackQueue& queue = g_queue.on(cpu);
    Callback* callback = nullptr;
    {
        IrqOffGuard const here;
        CHECK(this_cpu(here) == cpu, "callbacks of cpu {} run on another", cpu);
        callback = queue.take_all(here);
    }
    if (callback == nullptr) return;
    bool const many = queue.pending() >= kManyPending;
    detail::wait_for(detail::grace_periods.start(), many ? Nanoseconds{} : kPatience);
    u64 done = queue.done.load(std::memory_order_relaxed);
    while (callback != nullptr) {
        callback = CallbackQueue::run(*callback);
        // release: what the callbacks did comes before barrier() returns.
        if (++done % kCountEvery == 0 || callback == nullptr) queue.done.store(done, std::memory_order_release);
    }
}

void barrier() {
    might_sleep();
    auto const* const hooks = detail::thread_hooks.load(std::memory_order_acquire);
    CHECK(hooks != nullptr, "rcu::barrier before there are threads");
    for_each_cpu([&](CpuId cpu) {
        CallbackQueue& queue = g_queue.on(cpu);
        // relaxed: a defer() that happened before this call has been counted for us. acquire: see run_callbacks().
        u64 const target = queue.queued.load(std::memory_order_relaxed);
        while (queue.done.load(std::memory_order_acquire) < target) {
            expedite();
            hooks->sleep(kPoll);
        }
    });
}

u64 detail::pending_callbacks() {
    u64 sum = 0;
    for_each_cpu([&](CpuId cpu) { sum += g_queue.on(cpu).pending(); });
    return sum;
}

}  // namespace tutti::smp::rcu
