// SPDX-License-Identifier: BSD-3-Clause
// The hash table of sleeping futex waiters.
//
// A waiter lives on the stack of the thread that sleeps: waiting needs no memory, and nothing is left behind when it
// ends. `bucket` says where it is queued and is the wake-up signal at once:
//
//   waiter                                   waker (under the bucket lock)
//     lock bucket; compare the word            unlink the waiter
//     queue itself; unlock                     take a reference to its thread
//     sleep until bucket == null               bucket = null (release)  -- from here the waiter may be gone
//                                              unlock; unpark the thread
//
// Check and sleep are atomic because the word is compared under the lock that every waker takes before it looks for
// waiters: a store to the word that the compare missed is followed by a wake that finds the waiter queued. The
// word's store comes before the waker's lock acquisition in the waker's program, and the lock orders the rest.
//
// A requeue moves the waiter with both bucket locks held (ordered by address) and stores the new bucket: a waiter
// that gives up loads `bucket`, locks it, and looks again, until it holds the right lock.
#pragma once

#include <atomic>
#include <span>

#include "base/intrusive_list.hpp"
#include "linux_abi/futex/key.hpp"
#include "sched/thread.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::linux_abi {

struct FutexBucket;

struct FutexWaiter {
    ListNode node;
    FutexKey key;
    u32 bitset = 0;
    sched::Thread* thread = nullptr;
    // Release by whoever unlinks, acquire by the waiter: what the waker did before is visible after the wait.
    std::atomic<FutexBucket*> bucket{nullptr};
    // For priority-inheriting futexes (futex/pi.hpp): the user TID to install as owner. 0 otherwise.
    i32 pi_tid = 0;
    u64 pi_address = 0;
    i32 pi_owner = 0;  // who has the lock, whatever became of the word; guarded by the bucket's lock
};

struct alignas(kCacheLine) FutexBucket {
    smp::SpinLock lock{smp::LockRank::FutexBucket, "futex bucket"};
    IntrusiveList<FutexWaiter, &FutexWaiter::node> waiters GUARDED_BY(lock);
};

// Allocates the table: 256 buckets for each CPU. Once, at boot. Error::NoMemory.
Result<> initialize_futexes();

[[nodiscard]] FutexBucket& futex_bucket(FutexKey const& key);
[[nodiscard]] std::span<FutexBucket> all_futex_buckets();

// Threads taken off a queue, to be woken after the lock is dropped. At most kBatch at a time, so that waking a
// thousand threads does not keep the lock for a thousand wake-ups.
class FutexWakeBatch {
  public:
    static constexpr size_t kBatch = 16;
    FutexWakeBatch() = default;
    FutexWakeBatch(FutexWakeBatch const&) = delete;
    FutexWakeBatch& operator=(FutexWakeBatch const&) = delete;
    ~FutexWakeBatch() { wake_all(); }

    [[nodiscard]] bool full() const { return count_ == kBatch; }
    // Unlinks `waiter` and remembers its thread. The lock of its bucket is held.
    void take(FutexBucket& bucket, FutexWaiter& waiter) REQUIRES(bucket.lock);
    // No lock held.
    void wake_all();

  private:
    Ref<sched::Thread> threads_[kBatch];
    size_t count_ = 0;
};

}  // namespace tutti::linux_abi
