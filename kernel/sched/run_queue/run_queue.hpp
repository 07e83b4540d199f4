// SPDX-License-Identifier: BSD-3-Clause
// The run queue of one CPU: who runs, who could, and the mailbox through which other CPUs hand threads over.
//
//   others:   wake_inbox (lock-free) --+
//                                      | drained by this CPU, or by one that steals, under the lock
//   lock:     realtime, fair  <--------+        current: on the CPU, in neither queue
//
// `mode` tells wakers whether this CPU looks at its inbox by itself:
//
//   Busy      runs a thread: interrupt it      Polling   idle, looks at the inbox all the time: no interrupt
//   Halted    idle, halted: interrupt it
//
// Order: the waker pushes, then reads mode; the idle loop writes mode, then reads the inbox; all four sequentially
// consistent. So either the waker sees Halted and interrupts, or the idle loop sees the thread.
//
// The thread whose parking made this CPU idle is `watched`: the idle loop looks at its wake state as well, so its waker
// writes that word and is done, and one cache line has moved instead of three. Nobody else may queue the thread meanwhile, so
// it cannot end; the CPU stops watching before it halts and before it runs anything.
#pragma once

#include <atomic>

#include "sched/run_queue/fair_queue.hpp"
#include "sched/run_queue/realtime_queue.hpp"
#include "sched/thread.hpp"
#include "smp/lockfree/mpsc_queue.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::sched {

enum class CpuMode : u32 { Busy, Polling, Halted };

class RunQueue {
  public:
    using Inbox = smp::MpscQueue<Thread, &Thread::wake_node_>;
    static constexpr Nanoseconds kSlice = Nanoseconds::from_ms(3);
    // How far the running thread must be ahead in virtual time before a woken one takes its place.
    static constexpr i64 kWakeGranularity = 1'000'000;

    constexpr RunQueue() = default;

    // --- with the lock held -------------------------------------------------------------------------------------
    // Puts an arriving thread (woken, new or moved) in its place.
    void enqueue(Thread& thread) REQUIRES(lock);
    // Takes the thread that should run next when `previous`, which was running and is not queued, goes on wanting this CPU:
    // another, for which `previous` is queued, `at_end` behind its equals; or `previous` itself.
    [[nodiscard]] Thread* take_next_or(Thread& previous, bool at_end) REQUIRES(lock);
    void dequeue(Thread& thread) REQUIRES(lock);
    // Everything in the inbox becomes runnable here.
    void drain_inbox() REQUIRES(lock);
    // Takes the thread that should run next; null when there is none.
    [[nodiscard]] Thread* take_next() REQUIRES(lock);
    // Takes a thread that may run on `cpu` and whose stack nobody uses; null when there is none.
    [[nodiscard]] Thread* take_for(CpuId cpu) REQUIRES(lock);
    // Whether `thread`, which is queued, should run before the current one.
    [[nodiscard]] bool precedes_current(Thread const& thread) const REQUIRES(lock);
    [[nodiscard]] bool first_precedes_current() REQUIRES(lock);
    // Charges the current thread with the time since the last call.
    void account(Nanoseconds now) REQUIRES(lock);
    // Whether the current thread's slice is over and another should have the CPU.
    [[nodiscard]] bool slice_is_over(Nanoseconds now) const REQUIRES(lock);
    [[nodiscard]] Deadline slice_end() const REQUIRES(lock);
    [[nodiscard]] bool has_queued() const REQUIRES(lock) { return queued_count != 0; }
    // Whether `thread` is queued here.
    [[nodiscard]] bool holds(Thread const& thread) const REQUIRES(lock);
    // Makes the counts that others look at true again.
    void publish_load() REQUIRES(lock);
    // No thread waits here any more: next_overloaded() passes this CPU over.
    void clear_overloaded() REQUIRES(lock);
    [[nodiscard]] ISR_SAFE static bool may_run_on(Thread const& thread, CpuId cpu) {
        return thread.pin_depth_ != 0 ? thread.cpu() == cpu : thread.affinity_.contains(cpu);
    }

    // --- this CPU, interrupts off or in its idle loop ----------------------------------------------------------------
    // Parks `thread`, the current one, in state Watched. False: it has been notified.
    [[nodiscard]] bool watch(Thread& thread) {
        auto expected = Thread::WakeState::Running;
        // release: a waker that finds Parked after stop_watching() sees our fields.
        if (!thread.wake_state_.compare_exchange_strong(expected, Thread::WakeState::Watched, std::memory_order_release,
                                                        std::memory_order_relaxed))
            return false;
        watched = &thread;
        return true;
    }
    [[nodiscard]] bool watched_is_notified() const {
        // relaxed: the thread itself synchronises with its waker when it consumes the notice.
        return watched != nullptr && watched->wake_state_.load(std::memory_order_relaxed) == Thread::WakeState::Notified;
    }
    // False: the watched thread has been notified, and take_watched() is to be called.
    [[nodiscard]] ISR_SAFE bool stop_watching() {
        if (watched == nullptr) return true;
        auto expected = Thread::WakeState::Watched;
        // relaxed: continues the release sequence that the thread began when it parked.
        if (!watched->wake_state_.compare_exchange_strong(expected, Thread::WakeState::Parked, std::memory_order_relaxed,
                                                          std::memory_order_relaxed))
            return false;
        watched = nullptr;
        return true;
    }
    // Stops watching. A thread that has been notified is the caller's to queue.
    [[nodiscard]] ISR_SAFE Thread* take_watched() { return stop_watching() ? nullptr : std::exchange(watched, nullptr); }

    smp::SpinLock lock{smp::LockRank::RunQueue, "run queue"};
    CpuId cpu{};
    Thread* current = nullptr;
    Thread* idle = nullptr;
    FairQueue fair;
    RealtimeQueue realtime GUARDED_BY(lock);
    u32 queued_count GUARDED_BY(lock) = 0;
    bool marked_overloaded GUARDED_BY(lock) = false;  // in the bitmap of placement.hpp
    Nanoseconds clock{};        // up to when `current` has been charged
    Nanoseconds slice_start{};  // when `current` got the CPU

    // --- this CPU only, interrupts off ----------------------------------------------------------------------------
    Thread* switched_from = nullptr;  // to be finished on the next thread's stack
    Thread* to_place = nullptr;       // switched_from has to go to another CPU
    Thread* ended = nullptr;          // switched_from has ended: its own reference is to be dropped
    Thread* resident = nullptr;       // whose user registers and address space are loaded; only compared, never used
    Nanoseconds next_push{};          // not before: look for a CPU with less to do
    u32 push_offset = 0;              // where to look next time
    Nanoseconds poll_time{};          // how long the idle loop polls before it halts
    Thread* watched = nullptr;        // parked here last, and in state Watched or notified since
    u64 switches = 0;
    u64 steals = 0;
    u64 pushes = 0;
    u64 remote_wakes = 0;
    u64 wake_interrupts = 0;

    // --- read and written by others ---------------------------------------------------------------------------------
    alignas(kCacheLine) Inbox inbox;
    std::atomic<CpuMode> mode{CpuMode::Busy};
    Inbox dead;  // threads whose last reference was dropped here, to be freed
    // Hints.
    alignas(kCacheLine) std::atomic<u32> load{0};          // queued, and one more when a thread runs
    std::atomic<u32> queued_hint{0};                       // queued
    std::atomic<u32> current_rank{0};                      // 0 idle, 1 fair, 1 + priority real-time
    std::atomic<Thread*> current_hint{nullptr};            // only compared
    std::atomic<i64> idle_time{0};                         // up to `clock`
    std::atomic<i64> idle_since{0};                        // > 0: idle since then, not in idle_time yet
    std::atomic<i64> up_since{0};
};

ISR_SAFE inline Deadline RunQueue::slice_end() const {
    Policy const policy = current->policy();
    if (policy.kind == PolicyKind::Fifo) return kNever;
    if (policy.kind == PolicyKind::RoundRobin) return clock + current->slice_left;
    return slice_start + kSlice;
}

namespace detail {
extern smp::PerCpu<RunQueue> run_queues;
}
[[nodiscard]] ISR_SAFE inline RunQueue& run_queue(CpuId cpu) { return detail::run_queues.on(cpu); }
[[nodiscard]] ALWAYS_INLINE RunQueue& local_run_queue(smp::Pinned const& here) { return detail::run_queues.local(here); }

}  // namespace tutti::sched
