// SPDX-License-Identifier: BSD-3-Clause
// A queue of threads that wait for something to become true, and of observers that want to be told.
//
//   waiter                                     waker
//     condition true? done                       make the condition true
//     enter the queue   (under its lock)         wake_one() / wake_all()   (looks under the lock, or sees it empty)
//     test again; park; test again ...
//     leave the queue
//
// No wake-up is lost: if the waker looks before the waiter has entered, the waiter's test comes after that look, and the
// lock (or the fence pair of the empty check) makes the condition visible to it. Otherwise the waker finds the entry.
//
// Waking is callable up to Isr context; it takes this queue's lock and those that rank above it, never blocks or faults.
// A waker may call with locks held that rank below the queue's.
#pragma once

#include <atomic>

#include "base/intrusive_list.hpp"
#include "base/result.hpp"
#include "sched/park.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::sched {

class Thread;

class WaitQueue {
  public:
    // A place in the queue: a thread's, or an observer's.
    class Entry {
      public:
        // The current thread's.
        Entry();
        Entry(Entry const&) = delete;
        Entry& operator=(Entry const&) = delete;
        ~Entry() { ASSERT(!node_.is_linked(), "wait queue entry destroyed while queued"); }

        // A waker chose this entry and took it out. Everything before the wake-up is visible then.
        [[nodiscard]] bool is_woken() const { return woken_.load(std::memory_order_acquire); }

      protected:
        using Notify = void (*)(Entry& self, u32 events);  // REQUIRES(wake_path), which a pointer cannot say
        explicit Entry(Notify notify) : notify_{notify} {}

      private:
        friend class WaitQueue;
        ListNode node_;
        Thread* thread_ = nullptr;
        Notify notify_ = nullptr;
        std::atomic<bool> woken_{false};
    };

    // Called at each wake-up, under the queue's lock, with the waker's event bits: must not block, and takes only locks
    // that rank above this queue's. Stays in the queue until removed. Derive, and cast in the function.
    class Observer : public Entry {
      public:
        using Function = void (*)(Observer& self, u32 events);
        explicit Observer(Function function) : Entry{&forward}, function_{function} {}

      private:
        ISR_SAFE static void forward(Entry& self, u32 events) {
            auto& observer = static_cast<Observer&>(self);
            observer.function_(observer, events);
        }
        Function function_;
    };

    static constexpr u32 kAllEvents = ~u32{0};

    constexpr explicit WaitQueue(smp::LockRank rank = smp::LockRank::WaitQueue) : lock_{rank, "wait queue"} {}
    WaitQueue(WaitQueue const&) = delete;
    WaitQueue& operator=(WaitQueue const&) = delete;
    ~WaitQueue() { CHECK(empty(), "wait queue destroyed with waiters"); }

    // Wakes the threads that have waited longest, up to `count`, and calls every observer. Those that come, or come back,
    // meanwhile are left alone. Returns how many threads.
    u32 wake(u32 count, u32 events = kAllEvents);
    u32 wake_one(u32 events = kAllEvents) { return wake(1, events); }
    u32 wake_all(u32 events = kAllEvents) { return wake(~u32{0}, events); }

    // Returns when condition() is true (tested without the queue's lock, by the waiting thread). Errors: TimedOut,
    // Interrupted. A wake-up that chose this thread while it gave up is passed on to the next. Thread context.
    template <class Condition>
    [[nodiscard]] Result<> wait_until(Condition&& condition, Deadline deadline = kNever,
                                      WaitMode mode = WaitMode::Uninterruptible) EXCLUDES(smp::wake_path);

    // The pieces of wait_until, for waits on several queues and for observers. add() puts the entry at the end; remove()
    // takes it out if it is still in, and returns whether it was. After remove() no waker uses the entry.
    void add(Entry& entry);
    bool remove(Entry& entry);

    // A look that may be old.
    [[nodiscard]] bool empty() const { return count_.load(std::memory_order_relaxed) == 0; }

  private:
    smp::SpinLock lock_;
    IntrusiveList<Entry, &Entry::node_> entries_ GUARDED_BY(lock_);
    std::atomic<u32> count_{0};  // length of entries_, changed under the lock, read without
};

template <class Condition>
Result<> WaitQueue::wait_until(Condition&& condition, Deadline deadline, WaitMode mode) {
    if (condition()) return {};
    Entry entry;
    while (true) {
        add(entry);
        bool met = false;
        bool ours = false;  // woken for what the condition found
        Result<> const parked = park_until(
            [&] {
                ours = entry.is_woken();
                return (met = condition()) || entry.is_woken();
            },
            deadline, mode);
        bool const chosen = !remove(entry);
        if (met) {
            if (chosen && !ours) wake_one();
            return {};
        }
        if (condition()) return {};
        if (!parked) {
            if (chosen) wake_one();
            return parked;
        }
    }
}

}  // namespace tutti::sched
