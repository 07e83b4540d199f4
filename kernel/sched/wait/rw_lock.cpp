// SPDX-License-Identifier: BSD-3-Clause
#include "sched/wait/rw_lock.hpp"

#include "sched/thread.hpp"

namespace tutti::sched {

namespace {

// How often to look before queueing: sections are often shorter than a sleep.
constexpr u32 kLooks = 64;

template <class TryLock>
bool spin(std::atomic<uptr> const& word, uptr blocking, uptr has_waiters, TryLock&& try_lock) {
    for (u32 i = 0; i < kLooks && !smp::reschedule_wanted(); ++i) {
        uptr const seen = word.load(std::memory_order_relaxed);
        if ((seen & has_waiters) != 0) return false;  // our place is in the queue
        if ((seen & blocking) == 0 && try_lock()) return true;
        arch::pause();
    }
    return false;
}

}  // namespace

static_assert(alignof(Thread) >= 64, "the low bits of a Thread's address carry flags");

Result<> RwLock::lock_shared_slow(Deadline deadline, WaitMode mode) {
    CHECK(!is_write_held_by_current(), "rw lock locked by the thread that writes");
    if (spin(word_, kWriteHeld, kHasWaiters, [&] { return try_lock_shared_word(); })) return {};
    Waiter waiter;
    {
        smp::SpinIrqGuard guard{queue_lock_};
        uptr word = word_.load(std::memory_order_relaxed);
        while ((word & kHasWaiters) == 0) {
            bool const is_free = (word & kWriteHeld) == 0;
            // acquire: pairs with the release of the writer before us.
            if (word_.compare_exchange_weak(word, is_free ? word + kReader : word | kHasWaiters, std::memory_order_acquire,
                                            std::memory_order_relaxed)) {
                if (is_free) return {};
                break;
            }
        }
        readers_.push_back(waiter);
    }
    return waiter.wait(queue_lock_, deadline, mode, [&]() NO_THREAD_SAFETY_ANALYSIS { withdraw_reader(waiter); });
}

Result<> RwLock::lock_slow(Deadline deadline, WaitMode mode) {
    CHECK(!is_write_held_by_current(), "rw lock locked twice by its writer");
    if (spin(word_, ~uptr{0}, kHasWaiters, [&] { return try_lock_word(); })) return {};
    Waiter waiter;
    {
        smp::SpinIrqGuard guard{queue_lock_};
        uptr word = word_.load(std::memory_order_relaxed);
        while ((word & kHasWaiters) == 0) {
            bool const is_free = word == 0;
            // acquire: pairs with the releases of the readers or the writer before us.
            if (word_.compare_exchange_weak(word, is_free ? writer_word() : word | kHasWaiters, std::memory_order_acquire,
                                            std::memory_order_relaxed)) {
                if (is_free) return {};
                break;
            }
        }
        writers_.push_back(waiter);
    }
    WakeList list;
    Result<> const waited =
        waiter.wait(queue_lock_, deadline, mode, [&]() NO_THREAD_SAFETY_ANALYSIS { withdraw_writer(waiter, list); });
    smp::WakePath const path;
    list.wake_all();
    return waited;
}

void RwLock::withdraw_reader(Waiter& waiter) {
    readers_.remove(waiter);
    // relaxed: the flag carries no data.
    if (waiters_bit() == 0) word_.fetch_and(~kHasWaiters, std::memory_order_relaxed);
}

// The readers that waited for this writer alone join those that read.
void RwLock::withdraw_writer(Waiter& waiter, WakeList& list) {
    writers_.remove(waiter);
    uptr word = word_.load(std::memory_order_relaxed);
    if ((word & kWriteHeld) != 0 || !writers_.empty()) {
        if (waiters_bit() == 0) word_.fetch_and(~kHasWaiters, std::memory_order_relaxed);
        return;
    }
    uptr const count = list.choose_all(readers_);
    // Readers may leave meanwhile, but the last of them needs queue_lock_. acquire: what the writer before them did, which
    // the grant passes on.
    while (!word_.compare_exchange_weak(word, (word & ~kHasWaiters) + count * kReader, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
    }
}

void RwLock::unlock_shared_slow() {
    smp::WakePath const path;
    WakeList list;
    while (true) {
        uptr word = word_.load(std::memory_order_relaxed);
        CHECK((word & kWriteHeld) == 0 && word >= kReader, "rw lock released by a reader while nobody reads");
        if ((word & kHasWaiters) == 0 || word >= 2 * kReader) {
            // release: our reads come before the next writer's changes.
            if (word_.compare_exchange_weak(word, word - kReader, std::memory_order_release, std::memory_order_relaxed))
                return;
            continue;
        }
        smp::SpinIrqGuard guard{queue_lock_};
        // acquire: the other readers' reads, which the grant passes on.
        word = word_.load(std::memory_order_acquire);
        // Others may have joined, or those that waited have given up. Then it is released outside: its next owner may
        // destroy it while we have queue_lock_. Who is granted it cannot, for the grant comes later.
        if (word != (kReader | kHasWaiters)) continue;
        if (Waiter* const writer = writers_.front_or_null()) {
            list.choose(writers_, *writer);
            // relaxed: nobody takes the lock on the strength of this word, and the grant synchronises.
            word_.store(reinterpret_cast<uptr>(&writer->thread()) | kWriteHeld | waiters_bit(), std::memory_order_relaxed);
        } else {
            uptr const count = list.choose_all(readers_);
            // release: readers who see the word and not the grant join.
            word_.store(count * kReader, std::memory_order_release);
        }
        break;
    }
    list.wake_all();
}

// keep_readers: 0, or 1 when the writer goes on reading.
void RwLock::unlock_slow(uptr keep_readers) {
    smp::WakePath const path;
    WakeList list;
    uptr const self = writer_word();
    while (true) {
        uptr word = word_.load(std::memory_order_relaxed);
        CHECK((word & ~kHasWaiters) == self, "rw lock released by a thread that does not write");
        if ((word & kHasWaiters) == 0) {
            // release: our changes come before whatever the next holder does.
            if (word_.compare_exchange_weak(word, keep_readers * kReader, std::memory_order_release,
                                            std::memory_order_relaxed))
                return;
            continue;
        }
        smp::SpinIrqGuard guard{queue_lock_};
        if ((word_.load(std::memory_order_relaxed) & kHasWaiters) == 0) continue;  // they gave up; as in unlock_shared_slow()
        uptr const count = list.choose_all(readers_) + keep_readers;
        // The orders as in unlock_shared_slow().
        if (count != 0) {
            word_.store(count * kReader | waiters_bit(), std::memory_order_release);
        } else {
            Waiter& writer = writers_.front();
            list.choose(writers_, writer);
            word_.store(reinterpret_cast<uptr>(&writer.thread()) | kWriteHeld | waiters_bit(), std::memory_order_relaxed);
        }
        break;
    }
    list.wake_all();
}

}  // namespace tutti::sched
