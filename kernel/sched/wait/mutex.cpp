// SPDX-License-Identifier: BSD-3-Clause
#include "sched/wait/mutex.hpp"

#include "sched/park.hpp"
#include "sched/run_queue/run_queue.hpp"
#include "sched/thread.hpp"

namespace tutti::sched {

namespace {

// Looks at the owner before giving up the CPU. Bounded: under a hypervisor a running owner may not be running at all.
constexpr u32 kSpins = 256;
// Looks are spread out: each takes the line with the word from the owner, who needs it to unlock.
constexpr u32 kMaxPauses = 32;

uptr word_of(Thread const& thread) { return reinterpret_cast<uptr>(&thread); }

}  // namespace

// Worth it only while the owner is on a CPU. The owner's Thread may be gone any moment, so it is never looked into: the
// CPU where it took the mutex tells whether it still runs there.
bool Mutex::spin_for_lock(uptr self) {
    u32 pauses = 1;
    for (u32 spent = 0; spent < kSpins; spent += pauses) {
        uptr const owner = word_.load(std::memory_order_relaxed) & ~kHasWaiters;
        if (owner == 0) {
            if (try_lock_word(self)) return true;
        } else {
            RunQueue const& queue = run_queue(CpuId{owner_cpu_.load(std::memory_order_relaxed)});
            if (reinterpret_cast<uptr>(queue.current_hint.load(std::memory_order_relaxed)) != owner) return false;
        }
        if (smp::reschedule_wanted()) return false;
        if (pauses < kMaxPauses) pauses *= 2;
        for (u32 i = 0; i < pauses; ++i) arch::pause();
    }
    return false;
}

// True: taken, and the waiter is in no queue. False: queued, with kHasWaiters set, so that the owner's unlock finds it.
bool Mutex::take_or_queue(Waiter& waiter, uptr self) {
    smp::SpinIrqGuard guard{queue_lock_};
    // relaxed: only unlockers under our lock write them.
    if (waiter.granted.load(std::memory_order_relaxed)) return true;
    if (waiter.woken.load(std::memory_order_relaxed)) {
        waiter.woken.store(false, std::memory_order_relaxed);
        waiter.starved = true;  // unless we get it now
    }
    bool const queued = waiter.node.is_linked();
    uptr word = word_.load(std::memory_order_relaxed);
    while (true) {
        if ((word & ~kHasWaiters) == 0) {
            bool const others = !waiters_.empty() && !(queued && &waiters_.front() == &waiter && &waiters_.back() == &waiter);
            // acquire: pairs with the release of the unlock before.
            if (word_.compare_exchange_weak(word, self | (others ? kHasWaiters : 0), std::memory_order_acquire,
                                            std::memory_order_relaxed)) {
                if (queued) waiters_.remove(waiter);
                return true;
            }
        } else if ((word & kHasWaiters) != 0 ||
                   word_.compare_exchange_weak(word, word | kHasWaiters, std::memory_order_relaxed)) {
            break;
        }
    }
    if (!queued) waiters_.push_back(waiter);
    return false;
}

Result<> Mutex::lock_slow(Deadline deadline, WaitMode mode) {
    CHECK(!is_held_by_current(), "mutex locked twice by its owner");
    Thread& self = current();
    uptr const word = word_of(self);
    if (spin_for_lock(word)) return {};
    Waiter waiter;
    waiter.thread = &self;
    while (!take_or_queue(waiter, word)) {
        // acquire: pairs with the releases in unlock_contended() and give_up().
        Result<> const parked = park_until(
            [&] { return waiter.woken.load(std::memory_order_acquire) || waiter.granted.load(std::memory_order_acquire); },
            deadline, mode);
        if (parked) continue;
        give_up(waiter);
        // relaxed: give_up() has taken queue_lock_, under which it is written.
        if (waiter.granted.load(std::memory_order_relaxed)) return {};  // it came at the last moment
        return parked;
    }
    return {};
}

void Mutex::give_up(Waiter& waiter) {
    smp::WakePath const path;
    Ref<Thread> next;
    {
        smp::SpinIrqGuard guard{queue_lock_};
        if (waiter.granted.load(std::memory_order_relaxed)) return;
        waiters_.remove(waiter);
        if (waiters_.empty()) {
            // relaxed: the flag carries no data.
            word_.fetch_and(~kHasWaiters, std::memory_order_relaxed);
        } else if (waiter.woken.load(std::memory_order_relaxed)) {
            // The wake-up that was ours is for whoever comes next.
            Waiter& first = waiters_.front();
            first.woken.store(true, std::memory_order_release);
            next = Ref<Thread>{*first.thread};
        }
    }
    if (next) next->unpark();
}

void Mutex::unlock_slow() {
    uptr const self = word_of(current());
    while (true) {
        uptr expected = self;
        // release: pairs with the acquires of the next owner.
        if (word_.compare_exchange_strong(expected, 0, std::memory_order_release, std::memory_order_relaxed)) return;
        CHECK((expected & ~kHasWaiters) == self, "mutex unlocked by a thread that does not hold it");
        if (unlock_contended()) return;
    }
}

// False: the waiters have given up and the mutex is still held. It must not be released here: its next owner may destroy
// it, and we still have queue_lock_. With a waiter in the queue the next owner has to take queue_lock_ first.
bool Mutex::unlock_contended() {
    smp::WakePath const path;
    Ref<Thread> next;
    {
        smp::SpinIrqGuard guard{queue_lock_};
        if (waiters_.empty()) {
            word_.fetch_and(~kHasWaiters, std::memory_order_relaxed);  // relaxed: the flag carries no data
            return false;
        }
        Waiter& first = waiters_.front();
        next = Ref<Thread>{*first.thread};
        if (first.starved) {
            waiters_.remove(first);
            word_.store(word_of(*first.thread) | (waiters_.empty() ? 0 : kHasWaiters), std::memory_order_release);
            // release: the new owner sees what we did; it takes queue_lock_ once before it goes on, so we are done then.
            first.granted.store(true, std::memory_order_release);
        } else {
            word_.store(kHasWaiters, std::memory_order_release);
            first.woken.store(true, std::memory_order_release);
        }
    }
    next->unpark();
    return true;
}

}  // namespace tutti::sched
