// SPDX-License-Identifier: BSD-3-Clause
#include "sched/wait/wait_queue.hpp"

#include "sched/thread.hpp"

namespace tutti::sched {

WaitQueue::Entry::Entry() : thread_{&current()} {}

void WaitQueue::add(Entry& entry) {
    // relaxed: nobody sees the entry before the lock is released.
    entry.woken_.store(false, std::memory_order_relaxed);
    {
        smp::SpinIrqGuard guard{lock_};
        entries_.push_back(entry);
        count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    // Pairs with the fence in wake(): either the waker sees our count, or we see its condition.
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

ISR_SAFE bool WaitQueue::remove(Entry& entry) {
    // The lock even when the entry is out already: the waker that took it out has finished with it then.
    smp::SpinIrqGuard guard{lock_};
    if (!entry.node_.is_linked()) return false;
    entries_.remove(entry);
    count_.store(count_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    return true;
}

ISR_SAFE u32 WaitQueue::wake(u32 count, u32 events) {
    // Pairs with the fence in add().
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (empty()) return 0;
    smp::WakePath const path;
    constexpr u32 kBatch = 16;
    u32 woken = 0;
    bool first_round = true;
    while (true) {
        // References, so that the threads are there when the lock is not: a woken thread may end at once.
        Ref<Thread> batch[kBatch];
        u32 taken = 0;
        {
            // Called from the observer of another queue of this rank: an epoll instance that watches an epoll instance.
            // Those nest without a loop (vfs/poll).
            smp::SpinIrqGuard guard{lock_, smp::SameRank::WatchedBeforeWatcher};
            u32 threads = 0;
            for (auto it = entries_.begin(); it != entries_.end();) {
                Entry& entry = *it++;
                if (entry.notify_ != nullptr) {
                    if (first_round) entry.notify_(entry, events);
                    continue;
                }
                ++threads;
                if (taken == kBatch || woken == count) {
                    if (!first_round) break;
                    continue;
                }
                batch[taken++] = Ref<Thread>{*entry.thread_};
                ++woken;
                entries_.remove(entry);
                count_.store(count_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
                // release: pairs with the acquire in is_woken(). The entry may be gone once its owner has our lock.
                entry.woken_.store(true, std::memory_order_release);
            }
            // Whoever comes back goes to the end, so this many from the front are those that are here now.
            if (first_round && count > threads) count = threads;
        }
        for (u32 i = 0; i < taken; ++i) batch[i]->unpark();
        if (woken == count || taken == 0) return woken;
        first_round = false;
    }
}

}  // namespace tutti::sched
