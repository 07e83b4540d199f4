// SPDX-License-Identifier: BSD-3-Clause
#include "sched/wait/rw_lock.hpp"

#include "sched/wait/crew_test.hpp"

namespace tutti::sched {
namespace {

void lock_shared(RwLock& what) NO_THREAD_SAFETY_ANALYSIS { what.lock_shared(); }
bool try_lock_shared(RwLock& what) NO_THREAD_SAFETY_ANALYSIS { return what.try_lock_shared(); }
void unlock_shared(RwLock& what) NO_THREAD_SAFETY_ANALYSIS { what.unlock_shared(); }
void downgrade(RwLock& what) NO_THREAD_SAFETY_ANALYSIS { what.downgrade(); }
Result<> lock_until(RwLock& what, Deadline deadline, WaitMode mode) NO_THREAD_SAFETY_ANALYSIS {
    return what.lock_until(deadline, mode);
}
Result<> lock_shared_until(RwLock& what, Deadline deadline, WaitMode mode) NO_THREAD_SAFETY_ANALYSIS {
    return what.lock_shared_until(deadline, mode);
}

// Plain data: writers change both halves, readers see them equal.
struct Pair {
    RwLock lock;
    u64 first = 0;
    u64 second = 0;
    void write() {
        ++first;
        arch::pause();
        ++second;
    }
    void check() const { EXPECT_EQ(first, second); }
};

TEST(rw_lock, readers_share_and_writers_do_not) {
    RwLock lock_;
    lock_shared(lock_);
    EXPECT(try_lock_shared(lock_));
    EXPECT(!try_lock(lock_));
    unlock_shared(lock_);
    EXPECT(!try_lock(lock_));
    unlock_shared(lock_);
    EXPECT(try_lock(lock_));
    EXPECT(lock_.is_write_held_by_current());
    EXPECT(!try_lock(lock_) && !try_lock_shared(lock_));
    unlock(lock_);
    EXPECT(!lock_.is_write_held_by_current());
}

TEST(rw_lock, excludes_in_a_storm) {
    constexpr u32 kRounds = 400;
    u32 const threads = 2 * smp::online_count() + 2;
    Pair shared;
    std::atomic<u64> writes{0};
    std::atomic<u32> running{threads};
    {
        Crew crew{threads, [&](u32 index) {
            SplitMix64 random = harness::random(index);
            for (u32 round = 0; round < kRounds; ++round) {
                u64 const what = random.below(16);
                bool const patient = (what & 1) == 0;
                WaitMode const mode = patient ? WaitMode::Uninterruptible : WaitMode::Interruptible;
                Deadline const deadline =
                    patient ? kNever : hal::now() + Nanoseconds::from_us(static_cast<i64>(random.below(200)));
                if (what < 5) {
                    if (!lock_until(shared.lock, deadline, mode)) {
                        current().clear_interrupt();
                        continue;
                    }
                    shared.write();
                    writes.fetch_add(1, std::memory_order_relaxed);
                    if (random.below(8) == 0) yield();
                    if (random.below(4) == 0) {
                        downgrade(shared.lock);
                        shared.check();
                        unlock_shared(shared.lock);
                    } else {
                        unlock(shared.lock);
                    }
                } else {
                    if (!lock_shared_until(shared.lock, deadline, mode)) {
                        current().clear_interrupt();
                        continue;
                    }
                    shared.check();
                    if (random.below(8) == 0) yield();
                    shared.check();
                    unlock_shared(shared.lock);
                }
            }
            running.fetch_sub(1);
        }};
        SplitMix64 random = harness::random(~u64{0});
        while (running.load() != 0) {
            crew[static_cast<u32>(random.below(threads))].interrupt();
            yield();
        }
    }
    EXPECT(try_lock(shared.lock));
    unlock(shared.lock);
    EXPECT_EQ(shared.first, writes.load());
    shared.check();
}

TEST_ALL_CPUS(rw_lock, times_out_on_every_cpu) {
    static RwLock lock_;
    if (cpu.value() == 0) lock_shared(lock_);
    harness::meet();
    Deadline deadline = soon();
    EXPECT_ERROR(lock_until(lock_, deadline, WaitMode::Uninterruptible), Error::TimedOut);
    EXPECT(hal::now() >= deadline);
    harness::meet();
    // The writers that gave up have left no trace: readers come in at once.
    EXPECT(lock_shared_until(lock_, past(), WaitMode::Uninterruptible).has_value());
    unlock_shared(lock_);
    harness::meet();
    if (cpu.value() == 0) {
        unlock_shared(lock_);
        lock(lock_);
    }
    harness::meet();
    if (cpu.value() != 0) {
        deadline = soon();
        EXPECT_ERROR(lock_shared_until(lock_, deadline, WaitMode::Uninterruptible), Error::TimedOut);
        EXPECT(hal::now() >= deadline);
    }
    harness::meet();
    if (cpu.value() == 0) unlock(lock_);
}

// New readers queue behind a writer that waits. When it gives up they come in, while the first reader still reads.
TEST(rw_lock, writer_that_gives_up_lets_readers_in) {
    RwLock lock_;
    lock_shared(lock_);
    Crew writer{1, [&](u32) { EXPECT_ERROR(lock_until(lock_, kNever, WaitMode::Interruptible), Error::Interrupted); }};
    yield_until_sleeping(writer[0]);
    EXPECT(!try_lock_shared(lock_));
    {
        Crew readers{3, [&](u32) {
            lock_shared(lock_);
            unlock_shared(lock_);
        }};
        for (u32 i = 0; i < 3; ++i) yield_until_sleeping(readers[i]);
        for (u32 i = 0; i < 3; ++i) EXPECT(!readers[i].has_ended());
        writer[0].interrupt();
    }
    unlock_shared(lock_);
}

// A reader that gives up while a writer waits leaves that writer alone.
TEST(rw_lock, reader_that_gives_up_leaves_no_trace) {
    RwLock lock_;
    lock(lock_);
    Crew reader{1, [&](u32) {
        EXPECT_ERROR(lock_shared_until(lock_, kNever, WaitMode::Interruptible), Error::Interrupted);
    }};
    yield_until_sleeping(reader[0]);
    reader[0].interrupt();
    reader.join();
    unlock(lock_);
    EXPECT(try_lock(lock_));
    unlock(lock_);
}

TEST(rw_lock, downgrade_lets_waiting_readers_in_and_keeps_writers_out) {
    RwLock lock_;
    std::atomic<bool> written{false};
    lock(lock_);
    Crew writer{1, [&](u32) {
        lock(lock_);
        written.store(true);
        unlock(lock_);
    }};
    yield_until_sleeping(writer[0]);
    {
        Crew readers{3, [&](u32) {
            lock_shared(lock_);
            EXPECT(!written.load());
            unlock_shared(lock_);
        }};
        for (u32 i = 0; i < 3; ++i) yield_until_sleeping(readers[i]);
        downgrade(lock_);
    }
    EXPECT(!written.load());
    EXPECT(!try_lock_shared(lock_));  // behind the writer
    unlock_shared(lock_);
    writer.join();
    EXPECT(written.load());
    // Nobody waits: one compare-and-swap.
    {
        WriteGuard guard{lock_};
        guard.downgrade();
        EXPECT(try_lock_shared(lock_));
        unlock_shared(lock_);
    }
    EXPECT(try_lock(lock_));
    unlock(lock_);
}

// Hand-over is direct, so a wait ends with the first wake-up, however many others come and go: readers that overlap do not
// keep a writer out, nor do writers that follow each other keep a reader out.
TEST(rw_lock, starves_nobody) {
    Pair shared;
    u32 const others = smp::online_count() + 2;
    for (bool const write : {true, false}) {
        std::atomic<bool> done{false};
        std::atomic<u32> ready{0};
        Crew crew{others + 1, [&](u32 index) {
            ready.fetch_add(1);
            yield_until([&] { return ready.load() == others + 1; });
            if (index == 0) {
                for (u32 i = 0; i < 20; ++i) {
                    u64 const before = current().voluntary_switches();
                    if (write)
                        lock(shared.lock);
                    else
                        lock_shared(shared.lock);
                    // Each of the others may be late with the wake-up of an earlier time.
                    EXPECT(current().voluntary_switches() - before <= 1 + others);
                    if (write) {
                        shared.write();
                        unlock(shared.lock);
                    } else {
                        shared.check();
                        unlock_shared(shared.lock);
                    }
                    yield();
                }
                done.store(true);
                return;
            }
            while (!done.load()) {
                if (write) {
                    ReadGuard const guard{shared.lock};
                    shared.check();
                    yield();  // so that another reader is always there
                } else {
                    WriteGuard const guard{shared.lock};
                    shared.write();
                    yield();
                }
            }
        }};
    }
}

}  // namespace
}  // namespace tutti::sched
