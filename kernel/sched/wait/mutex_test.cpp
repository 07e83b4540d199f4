// SPDX-License-Identifier: BSD-3-Clause
#include "sched/wait/mutex.hpp"

#include <cstring>

#include "sched/wait/crew_test.hpp"
#include "sched/wait/recursive_mutex.hpp"

namespace tutti::sched {
namespace {

// Plain data that only mutual exclusion keeps whole.
struct Guarded {
    Mutex mutex;
    u64 count GUARDED_BY(mutex) = 0;
    u64 twice GUARDED_BY(mutex) = 0;
    void add() REQUIRES(mutex) {
        ++count;
        twice += 2;
        EXPECT_EQ(twice, 2 * count);
    }
};

TEST(mutex, excludes_in_a_storm) {
    constexpr u32 kRounds = 600;
    u32 const threads = 2 * smp::online_count() + 1;
    Guarded shared;
    {
        Crew crew{threads, [&](u32 index) {
            SplitMix64 random = harness::random(index);
            for (u32 round = 0; round < kRounds; ++round) {
                if (random.below(4) == 0) {
                    if (!shared.mutex.try_lock()) shared.mutex.lock();
                    shared.add();
                    shared.mutex.unlock();
                } else {
                    MutexGuard guard{shared.mutex};
                    shared.add();
                    // The owner leaves its CPU: others stop spinning and sleep.
                    if (random.below(16) == 0) yield();
                }
            }
        }};
    }
    MutexGuard guard{shared.mutex};
    EXPECT_EQ(shared.count, u64{threads} * kRounds);
}

TEST(mutex, knows_its_owner) {
    Mutex mutex;
    EXPECT(!mutex.is_held_by_current());
    REQUIRE(try_lock(mutex));
    EXPECT(mutex.is_held_by_current());
    {
        Crew other{1, [&](u32) {
            EXPECT(!mutex.is_held_by_current());
            EXPECT(!try_lock(mutex));
        }};
    }
    unlock(mutex);
    EXPECT(!mutex.is_held_by_current());
}

// Every CPU waits in vain for a mutex that another thread holds, and none returns before its deadline.
TEST_ALL_CPUS(mutex, times_out_on_every_cpu) {
    static Mutex mutex;
    if (cpu.value() == 0) lock(mutex);
    harness::meet();
    if (cpu.value() != 0 || cpus == 1) {
        Crew waiter{1, [&](u32) {
            Deadline const deadline = soon();
            EXPECT_ERROR(mutex.lock_until(deadline, WaitMode::Uninterruptible), Error::TimedOut);
            EXPECT(hal::now() >= deadline);
            EXPECT_ERROR(mutex.lock_until(past(), WaitMode::Uninterruptible), Error::TimedOut);
        }};
    }
    harness::meet();
    if (cpu.value() != 0) return;
    unlock(mutex);
    // Free: a deadline that has passed does not matter.
    EXPECT(mutex.lock_until(past(), WaitMode::Uninterruptible).has_value());
    unlock(mutex);
}

TEST(mutex, wait_is_cancelled) {
    Mutex mutex;
    lock(mutex);
    Crew waiter{1, [&](u32) {
        EXPECT_ERROR(mutex.lock_until(kNever, WaitMode::Interruptible), Error::Interrupted);
        current().clear_interrupt();
        MutexGuard const guard{mutex};  // as if nothing had happened
    }};
    yield_until_sleeping(waiter[0]);
    waiter[0].interrupt();
    yield_until([&] { return !waiter[0].is_interrupted(); });
    unlock(mutex);
}

// Deadlines and cancellations strike while the mutex is being passed on. A waiter that was woken and gives up wakes the
// next one; otherwise somebody would sleep for ever here.
TEST(mutex, loses_no_wake_up_to_waiters_that_give_up) {
    constexpr u32 kRounds = 200;
    u32 const threads = smp::online_count() + 3;
    Guarded shared;
    std::atomic<u64> taken{0};
    std::atomic<u32> running{threads};
    {
        Crew crew{threads, [&](u32 index) {
            SplitMix64 random = harness::random(index);
            for (u32 round = 0; round < kRounds; ++round) {
                bool const patient = random.below(3) == 0;
                Deadline const deadline =
                    patient ? kNever : hal::now() + Nanoseconds::from_us(static_cast<i64>(random.below(200)));
                if (shared.mutex.lock_until(deadline, patient ? WaitMode::Uninterruptible : WaitMode::Interruptible)) {
                    MutexGuard guard{shared.mutex, kAdoptLock};
                    shared.add();
                    taken.fetch_add(1, std::memory_order_relaxed);
                    if (random.below(8) == 0) yield();
                } else {
                    current().clear_interrupt();
                }
            }
            running.fetch_sub(1, std::memory_order_relaxed);
        }};
        SplitMix64 random = harness::random(~u64{0});
        while (running.load(std::memory_order_relaxed) != 0) {
            crew[static_cast<u32>(random.below(threads))].interrupt();
            yield();
        }
    }
    MutexGuard guard{shared.mutex};
    EXPECT_EQ(shared.count, taken.load());
}

// Another thread takes the mutex again at once, all the time. The waiter loses it once at most: it sleeps until it is
// woken, sleeps again when it finds it taken, and then has it handed over.
TEST(mutex, does_not_starve_a_waiter) {
    for (u32 round = 0; round < 20; ++round) {
        Mutex mutex;
        std::atomic<bool> done{false};
        std::atomic<u32> ready{0};
        Crew crew{3, [&](u32 index) {
            ready.fetch_add(1);
            yield_until([&] { return ready.load() == 3; });
            if (index != 0) {
                while (!done.load(std::memory_order_relaxed)) {
                    mutex.lock();
                    for (u32 i = 0; i < 200; ++i) arch::pause();
                    mutex.unlock();
                }
                return;
            }
            for (u32 i = 0; i < 10; ++i) {
                u64 const before = current().voluntary_switches();
                mutex.lock();
                // One sleep until it is woken, one until it is given the mutex; and each of the two others may be late
                // with the wake-up of an earlier time, one of them with this time's, too.
                EXPECT(current().voluntary_switches() - before <= 5);
                mutex.unlock();
            }
            done.store(true, std::memory_order_relaxed);
        }};
    }
}

// Who unlocks does not touch the mutex any more once the next owner may have destroyed it.
TEST(mutex, may_be_destroyed_by_its_next_owner) {
    struct Object {
        Mutex mutex;
        u32 users = 0;
    };
    u32 const threads = smp::online_count() + 1;
    for (u32 round = 0; round < 60; ++round) {
        auto* const memory = static_cast<std::byte*>(::operator new(sizeof(Object), std::align_val_t{64}, std::nothrow));
        REQUIRE(memory != nullptr);
        auto* const object = new (memory) Object{};
        object->users = threads;
        {
            Crew crew{threads, [&](u32) {
                object->mutex.lock();
                bool const last = --object->users == 0;
                object->mutex.unlock();
                if (!last) return;
                object->~Object();
                std::memset(memory, 0xee, sizeof(Object));
            }};
        }
        for (size_t i = 0; i < sizeof(Object); ++i) REQUIRE(memory[i] == std::byte{0xee});
        ::operator delete(memory, std::align_val_t{64});
    }
}

TEST(recursive_mutex, counts_its_owners_locks) {
    RecursiveMutex mutex;
    lock(mutex);
    EXPECT(try_lock(mutex));
    EXPECT(mutex.lock_until(past(), WaitMode::Uninterruptible).has_value());
    auto const taken_elsewhere = [&] {
        bool taken = false;
        Crew other{1, [&](u32) {
            EXPECT(!mutex.is_held_by_current());
            taken = try_lock(mutex);
            if (taken) unlock(mutex);
        }};
        other.join();
        return taken;
    };
    EXPECT(!taken_elsewhere());
    unlock(mutex);
    unlock(mutex);
    EXPECT(!taken_elsewhere());
    unlock(mutex);
    EXPECT(taken_elsewhere());
}

TEST(recursive_mutex, excludes_in_a_storm) {
    RecursiveMutex mutex;
    u64 count = 0;
    u32 const threads = smp::online_count() + 2;
    {
        Crew crew{threads, [&](u32) {
            for (u32 round = 0; round < 300; ++round) {
                RecursiveMutexGuard const outer{mutex};
                u64 const before = count;
                lock(mutex);
                count = before + 1;
                unlock(mutex);
                EXPECT_EQ(count, before + 1);
            }
        }};
    }
    EXPECT_EQ(count, u64{300} * threads);
}

}  // namespace
}  // namespace tutti::sched
