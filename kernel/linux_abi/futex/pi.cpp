// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/futex/pi.hpp"

#include <atomic>

#include "linux_abi/abi/thread.hpp"
#include "linux_abi/futex/table.hpp"
#include "linux_abi/futex/user_word.hpp"
#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"

namespace tutti::linux_abi {

namespace {

// Threads in futex_lock_pi: lets exit_task skip the search in nearly every program. Relaxed: a waiter that is missed
// checks the owner's existence under the bucket lock after it has counted itself.
constinit std::atomic<u32> pi_waiter_count{0};

// Real-time threads by priority, all others behind them.
int priority_of(FutexWaiter const& waiter) {
    sched::Policy const policy = waiter.thread->policy();
    return policy.is_realtime() ? policy.priority : 0;
}

// The first PI waiter of `key`, in the order of hand-over; `others` says whether there are more.
FutexWaiter* top_waiter(FutexBucket& bucket, FutexKey const& key, bool& others) REQUIRES(bucket.lock) {
    FutexWaiter* top = nullptr;
    others = false;
    for (FutexWaiter& waiter : bucket.waiters) {
        if (waiter.key != key || waiter.pi_tid == 0) continue;
        if (top == nullptr) {
            top = &waiter;
        } else {
            others = true;
            // Equal priorities: first come, first served.
            if (priority_of(waiter) > priority_of(*top)) top = &waiter;
        }
    }
    return top;
}

// `key`'s waiters wait for another owner now.
void set_owner_locked(FutexBucket& bucket, FutexKey const& key, i32 owner) REQUIRES(bucket.lock) {
    for (FutexWaiter& waiter : bucket.waiters)
        if (waiter.key == key && waiter.pi_tid != 0) waiter.pi_owner = owner;
}

// A waiter for a lock of thread `owner`, whatever its key.
FutexWaiter* first_waiter_for(FutexBucket& bucket, i32 owner) REQUIRES(bucket.lock) {
    for (FutexWaiter& waiter : bucket.waiters)
        if (waiter.pi_tid != 0 && waiter.pi_owner == owner) return &waiter;
    return nullptr;
}

enum class Attempt : u8 { Acquired, Queued, NotPresent, WouldBlock, Deadlock, OwnerGone };

// One try under the bucket lock: takes the lock if it is free, else marks it as waited for and, given a waiter, queues.
Attempt try_lock_locked(Task& task, FutexBucket& bucket, FutexKey const& key, u64 address, FutexWaiter* waiter)
    REQUIRES(bucket.lock) {
    auto const tid = static_cast<u32>(task.tid());
    while (true) {
        auto const word = try_load_word(address);
        if (!word.has_value()) return Attempt::NotPresent;
        u32 const owner = *word & kFutexTidMask;
        if (owner == tid) return Attempt::Deadlock;
        u32 desired = 0;
        bool others = false;
        bool const waited_for = owner == 0 && top_waiter(bucket, key, others) != nullptr;
        if (owner == 0) {
            desired = tid | (*word & kFutexOwnerDied) | (waited_for ? kFutexWaiters : 0);
        } else {
            if (waiter == nullptr) return Attempt::WouldBlock;
            desired = *word | kFutexWaiters;
        }
        if (desired != *word) {
            auto const seen = try_compare_exchange_word(address, *word, desired);
            if (!seen.has_value()) return Attempt::NotPresent;
            if (*seen != *word) continue;
        }
        if (owner == 0) {
            if (waited_for) set_owner_locked(bucket, key, task.tid());
            return Attempt::Acquired;
        }
        if (!task.process().threads().contains(static_cast<i32>(owner))) {
            // Its robust list may have freed the word since it was read.
            auto const again = try_load_word(address);
            if (again.has_value() && *again == desired) return Attempt::OwnerGone;
            continue;
        }
        waiter->pi_owner = static_cast<i32>(owner);
        waiter->bucket.store(&bucket, std::memory_order_relaxed);  // published by the lock
        bucket.waiters.push_back(*waiter);
        return Attempt::Queued;
    }
}

// Makes the top waiter the owner, or frees the word. `extra` is ORed in (FUTEX_OWNER_DIED). False when the page is not
// there or the word changed.
bool hand_over_locked(FutexBucket& bucket, FutexKey const& key, u64 address, u32 word, u32 extra,
                      FutexWakeBatch& batch) REQUIRES(bucket.lock) {
    bool others = false;
    FutexWaiter* const next = top_waiter(bucket, key, others);
    u32 const desired =
        next == nullptr ? extra : static_cast<u32>(next->pi_tid) | extra | (others ? kFutexWaiters : 0);
    auto const seen = try_compare_exchange_word(address, word, desired);
    if (!seen.has_value() || *seen != word) return false;
    if (next == nullptr) return true;
    set_owner_locked(bucket, key, next->pi_tid);
    batch.take(bucket, *next);
    return true;
}

// Takes a waiter that gave up out. False when the lock was handed to it.
bool cancel_pi_wait(FutexBucket& bucket, FutexWaiter& waiter) {
    smp::SpinGuard guard{bucket.lock};
    if (waiter.bucket.load(std::memory_order_relaxed) == nullptr) return false;
    bucket.waiters.remove(waiter);
    return true;
}

}  // namespace

Result<> futex_lock_pi(Task& task, u64 address, FutexSharing sharing, Deadline deadline) {
    FutexKey const key = TRY(futex_key(task, address, sharing));
    FutexBucket& bucket = futex_bucket(key);
    FutexWaiter waiter;
    waiter.key = key;
    waiter.bitset = kFutexBitsetAny;
    waiter.thread = &task.thread();
    waiter.pi_tid = task.tid();
    waiter.pi_address = address;

    pi_waiter_count.fetch_add(1, std::memory_order_relaxed);
    Result<> const result = [&]() -> Result<> {
        while (true) {
            Attempt attempt{};
            {
                smp::SpinGuard guard{bucket.lock};
                attempt = try_lock_locked(task, bucket, key, address, &waiter);
            }
            switch (attempt) {
                case Attempt::Acquired: return {};
                case Attempt::Deadlock: return fail(Error::Deadlock);
                case Attempt::OwnerGone: return fail(Error::NoSuchProcess);
                case Attempt::WouldBlock: return fail(Error::WouldBlock);
                case Attempt::NotPresent: TRY(make_word_present(address, WordAccess::Write)); continue;
                case Attempt::Queued: break;
            }
            break;
        }
        Result<> const slept = sched::park_until(
            [&] { return waiter.bucket.load(std::memory_order_acquire) == nullptr; },  // FutexWakeBatch::take
            deadline, sched::WaitMode::Interruptible);
        if (!slept && cancel_pi_wait(bucket, waiter)) return slept;
        if (waiter.pi_owner != task.tid()) return fail(Error::BadAddress);
        return {};
    }();
    pi_waiter_count.fetch_sub(1, std::memory_order_relaxed);
    return result;
}

Result<> futex_trylock_pi(Task& task, u64 address, FutexSharing sharing) {
    FutexKey const key = TRY(futex_key(task, address, sharing));
    FutexBucket& bucket = futex_bucket(key);
    while (true) {
        Attempt attempt{};
        {
            smp::SpinGuard guard{bucket.lock};
            attempt = try_lock_locked(task, bucket, key, address, nullptr);
        }
        if (attempt == Attempt::Acquired) return {};
        if (attempt == Attempt::Deadlock) return fail(Error::Deadlock);
        if (attempt != Attempt::NotPresent) return fail(Error::WouldBlock);
        TRY(make_word_present(address, WordAccess::Write));
    }
}

Result<> futex_unlock_pi(Task& task, u64 address, FutexSharing sharing) {
    FutexKey const key = TRY(futex_key(task, address, sharing));
    FutexBucket& bucket = futex_bucket(key);
    while (true) {
        {
            FutexWakeBatch batch;
            smp::SpinGuard guard{bucket.lock};
            auto const word = try_load_word(address);
            if (word.has_value()) {
                if ((*word & kFutexTidMask) != static_cast<u32>(task.tid())) return fail(Error::NotPermitted);
                if (hand_over_locked(bucket, key, address, *word, 0, batch)) return {};
            }
        }
        TRY(make_word_present(address, WordAccess::Write));
    }
}

void release_owned_pi_futexes(Task& task) {
    if (pi_waiter_count.load(std::memory_order_relaxed) == 0) return;
    for (FutexBucket& bucket : all_futex_buckets()) {
        u64 lost = 0;  // the address of a word that cannot be written
        while (true) {
            u64 absent = 0;
            {
                FutexWakeBatch batch;
                smp::SpinGuard guard{bucket.lock};
                FutexWaiter* const waiter = first_waiter_for(bucket, task.tid());
                if (waiter == nullptr) break;
                auto const word = try_load_word(waiter->pi_address);
                u32 const owner = word.value_or(0) & kFutexTidMask;
                if (owner != 0 && owner != static_cast<u32>(task.tid())) {
                    // The program wrote it.
                    set_owner_locked(bucket, waiter->key, static_cast<i32>(owner));
                } else if (word.has_value() && hand_over_locked(bucket, waiter->key, waiter->pi_address, *word,
                                                                kFutexOwnerDied, batch)) {
                    // Owner 0: the robust list has freed the word, and left the waiters to this walk.
                } else if (waiter->pi_address == lost) {
                    waiter->pi_owner = 0;
                    batch.take(bucket, *waiter);
                } else {
                    absent = waiter->pi_address;
                }
            }
            if (absent != 0 && !make_word_present(absent, WordAccess::Write)) lost = absent;
        }
    }
}

}  // namespace tutti::linux_abi
