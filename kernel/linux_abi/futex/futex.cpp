// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/futex/futex.hpp"

#include "linux_abi/futex/table.hpp"
#include "linux_abi/futex/user_word.hpp"
#include "linux_abi/process/task.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::linux_abi {

namespace {

// Takes a waiter that gave up off its queue. False when a waker was first.
bool cancel_wait(FutexWaiter& waiter) {
    while (true) {
        FutexBucket* const bucket = waiter.bucket.load(std::memory_order_acquire);  // pairs with FutexWakeBatch::take
        if (bucket == nullptr) return false;
        smp::SpinGuard guard{bucket->lock};
        // A requeue may have moved the waiter before we had the lock; it needs this lock to do so again.
        if (waiter.bucket.load(std::memory_order_relaxed) != bucket) continue;
        bucket->waiters.remove(waiter);
        return true;
    }
}

// Runs `function` with both buckets locked (they may be one), in the order of their addresses.
template <class Function>
auto with_both_locked(FutexBucket& a, FutexBucket& b, Function&& function) NO_THREAD_SAFETY_ANALYSIS {
    if (&a == &b) {
        smp::SpinGuard guard{a.lock};
        return function();
    }
    smp::SpinGuard first{(&a < &b ? a : b).lock};
    smp::SpinGuard second{(&a < &b ? b : a).lock, smp::SameRank::OrderedByAddress};
    return function();
}

// Wakes up to `count` of `key`'s waiters in `bucket` whose bits meet `bitset`, dropping the lock to unpark. Waiters that
// queue meanwhile are at the end, so none is woken in an earlier one's place.
u32 wake_in_bucket(FutexBucket& bucket, FutexKey const& key, u32 count, u32 bitset) {
    u32 woken = 0;
    bool more = count != 0;
    while (more) {
        FutexWakeBatch batch;
        more = false;
        {
            smp::SpinGuard guard{bucket.lock};
            for (auto it = bucket.waiters.begin(); it != bucket.waiters.end();) {
                FutexWaiter& waiter = *it++;
                if (waiter.key != key || (waiter.bitset & bitset) == 0 || waiter.pi_tid != 0) continue;
                if (woken == count) break;
                if (batch.full()) {
                    more = true;
                    break;
                }
                batch.take(bucket, waiter);
                ++woken;
            }
        }
    }
    return woken;
}

u32 apply_wake_op(u32 operation, u32 old_value, u32 argument) {
    switch (operation) {
        case 0: return argument;
        case 1: return old_value + argument;
        case 2: return old_value | argument;
        case 3: return old_value & ~argument;
        default: return old_value ^ argument;
    }
}

bool meets_comparison(u32 comparison, i32 old_value, i32 argument) {
    switch (comparison) {
        case 0: return old_value == argument;
        case 1: return old_value != argument;
        case 2: return old_value < argument;
        case 3: return old_value <= argument;
        case 4: return old_value > argument;
        default: return old_value >= argument;
    }
}

i32 sign_extend_12(u32 value) { return static_cast<i32>(value << 20) >> 20; }

}  // namespace

Result<> futex_wait(Task& task, u64 address, FutexSharing sharing, u32 expected, u32 bitset, Deadline deadline) {
    if (bitset == 0) return fail(Error::InvalidArgument);
    FutexKey const key = TRY(futex_key(task, address, sharing));
    FutexBucket& bucket = futex_bucket(key);
    FutexWaiter waiter;
    waiter.key = key;
    waiter.bitset = bitset;
    waiter.thread = &task.thread();

    while (true) {
        {
            smp::SpinGuard guard{bucket.lock};
            auto const value = try_load_word(address);
            if (value.has_value()) {
                if (*value != expected) return fail(Error::WouldBlock);
                waiter.bucket.store(&bucket, std::memory_order_relaxed);  // published by the lock
                bucket.waiters.push_back(waiter);
                break;
            }
        }
        TRY(make_word_present(address, WordAccess::Read));
    }

    Result<> const slept = sched::park_until(
        [&] { return waiter.bucket.load(std::memory_order_acquire) == nullptr; },  // pairs with FutexWakeBatch::take
        deadline, sched::WaitMode::Interruptible);
    if (slept || !cancel_wait(waiter)) return {};
    return slept;
}

Result<u32> futex_wake(Task& task, u64 address, FutexSharing sharing, u32 count, u32 bitset) {
    if (bitset == 0) return fail(Error::InvalidArgument);
    FutexKey const key = TRY(futex_key(task, address, sharing));
    return wake_in_bucket(futex_bucket(key), key, count, bitset);
}

Result<u32> futex_requeue(Task& task, u64 from, u64 to, FutexSharing sharing, u32 wake, u32 requeue,
                          u32 const* expected) {
    FutexKey const from_key = TRY(futex_key(task, from, sharing));
    FutexKey const to_key = TRY(futex_key(task, to, sharing));
    FutexBucket& source = futex_bucket(from_key);
    FutexBucket& target = futex_bucket(to_key);

    u32 woken = 0;
    u32 moved = 0;
    enum class Step : u8 { Done, More, Differs, NotPresent };
    while (true) {
        FutexWakeBatch batch;
        // The comparison counts once, at the start; later rounds only continue a large wake.
        bool const compare = expected != nullptr && woken == 0;
        Step const step = with_both_locked(source, target, [&]() NO_THREAD_SAFETY_ANALYSIS {
            if (compare) {
                auto const value = try_load_word(from);
                if (!value.has_value()) return Step::NotPresent;
                if (*value != *expected) return Step::Differs;
            }
            for (auto it = source.waiters.begin(); it != source.waiters.end();) {
                FutexWaiter& waiter = *it++;
                if (waiter.key != from_key || waiter.pi_tid != 0) continue;
                if (woken < wake) {
                    if (batch.full()) return Step::More;
                    batch.take(source, waiter);
                    ++woken;
                } else if (moved < requeue) {
                    waiter.key = to_key;
                    if (&source != &target) {
                        source.waiters.remove(waiter);
                        target.waiters.push_back(waiter);
                        // release: pairs with the acquire in cancel_wait, which then takes the new lock.
                        waiter.bucket.store(&target, std::memory_order_release);
                    }
                    ++moved;
                } else {
                    break;
                }
            }
            return Step::Done;
        });
        batch.wake_all();
        if (step == Step::Done) break;
        if (step == Step::Differs) return fail(Error::WouldBlock);
        if (step == Step::NotPresent) TRY(make_word_present(from, WordAccess::Read));
    }
    return woken + moved;  // for both forms, whatever futex(2) says
}

Result<u32> futex_wake_op(Task& task, u64 first, u64 second, FutexSharing sharing, u32 wake, u32 wake_second,
                          u32 operation) {
    FutexKey const first_key = TRY(futex_key(task, first, sharing));
    FutexKey const second_key = TRY(futex_key(task, second, sharing));

    u32 const op = operation >> 28 & 7;
    u32 const comparison = operation >> 24 & 15;
    bool const shift = (operation >> 31) != 0;
    i32 argument = sign_extend_12(operation >> 12 & 0xfff);
    i32 const comparand = sign_extend_12(operation & 0xfff);
    if (op > 4 || comparison > 5) return fail(Error::NotImplemented);
    if (shift) argument = static_cast<i32>(1U << (static_cast<u32>(argument) & 31));

    // The word's change and the wakes need not be one step: a waiter of either word that queues in between compared
    // the new value. (Linux holds both locks; the results that a program can see are the same.)
    u32 old_value = 0;
    while (true) {
        auto const loaded = try_load_word(second);
        if (loaded.has_value()) {
            u32 const desired = apply_wake_op(op, *loaded, static_cast<u32>(argument));
            auto const seen = try_compare_exchange_word(second, *loaded, desired);
            if (seen.has_value()) {
                old_value = *seen;
                if (old_value == *loaded) break;
                continue;
            }
        }
        TRY(make_word_present(second, WordAccess::Write));
    }
    u32 woken = wake_in_bucket(futex_bucket(first_key), first_key, wake, kFutexBitsetAny);
    if (meets_comparison(comparison, static_cast<i32>(old_value), comparand))
        woken += wake_in_bucket(futex_bucket(second_key), second_key, wake_second, kFutexBitsetAny);
    return woken;
}

}  // namespace tutti::linux_abi
