// SPDX-License-Identifier: BSD-3-Clause
// Reader-writer spin lock whose read side scales: a reader writes only a counter in its own CPU's cache line; a writer
// looks at every CPU's. For data that is read by all CPUs all the time and changed now and then (areas of an address
// space). Used with the guards of spin/rw_lock.hpp.
//
//   reader                                   writer
//     own count + 1     (seq_cst)              take the writers' lock
//     writer_ set? -- yes: own count - 1,      writer_ = true       (seq_cst)
//       wait until clear, start again          wait until every count is 0   (seq_cst loads)
//     read                                     change
//     own count - 1     (release)              writer_ = false      (release)
//
// Either the reader's load sees writer_, or the writer's load sees the count: both pairs are sequentially consistent.
// Progress: blocking; writers are FIFO among themselves and do not starve (new readers step back); readers can starve
// only while writers follow each other without a gap. The try forms never wait. A read section may nest in another of
// the same lock on the same CPU only if no writer can come, so do not nest. ISR-safe when every holder has interrupts off.
#pragma once

#include <atomic>

#include "smp/percpu/percpu.hpp"
#include "smp/spin/rw_lock.hpp"

namespace tutti::smp {

// The algorithm by itself.
class RawBigReaderLock {
  public:
    // Error::NoMemory. Thread context.
    [[nodiscard]] static Result<RawBigReaderLock> create() { return RawBigReaderLock{TRY(DynamicPerCpu<Count>::create())}; }
    // Before the lock is shared.
    RawBigReaderLock(RawBigReaderLock&& other) noexcept : counts_{std::move(other.counts_)} {}

    void lock_shared(NoPreempt const& here) {
        std::atomic<u32>& count = counts_.local(here).readers;
        while (!enter(count))
            // The acquire that matters is the next round's; this only waits.
            while (writer_.load(std::memory_order_relaxed)) arch::wait_for_change(writer_, true);
    }
    [[nodiscard]] bool try_lock_shared(NoPreempt const& here) { return enter(counts_.local(here).readers); }
    // On the CPU that locked, which preemption off guarantees.
    void unlock_shared() { leave(counts_.local(AssumeNoPreempt{}).readers); }
    void lock() {
        writers_.lock();
        writer_.exchange(true, std::memory_order_seq_cst);
        for_each_cpu([&](CpuId cpu) {
            std::atomic<u32> const& count = counts_.on(cpu).readers;
            while (u32 const readers = count.load(std::memory_order_seq_cst)) arch::wait_for_change(count, readers);
        });
    }
    // False: a writer is there, or a reader was found.
    [[nodiscard]] bool try_lock() {
        if (!writers_.try_lock()) return false;
        writer_.exchange(true, std::memory_order_seq_cst);
        bool free = true;
        for_each_cpu([&](CpuId cpu) { free = free && counts_.on(cpu).readers.load(std::memory_order_seq_cst) == 0; });
        if (!free) unlock();
        return free;
    }
    void unlock() {
        // release: our changes come before the readers that see the flag clear (their seq_cst load).
        writer_.store(false, std::memory_order_release);
        writers_.unlock();
    }

  private:
    struct Count {
        std::atomic<u32> readers{0};
    };
    explicit RawBigReaderLock(DynamicPerCpu<Count> counts) : counts_{std::move(counts)} {}

    // Only this CPU writes its count, and an interrupt handler in between leaves it as it was: no read-modify-write. The
    // exchange is a store with the fence that x86 needs; an addition would wait for leave()'s store first.
    [[nodiscard]] bool enter(std::atomic<u32>& own) {
        own.exchange(own.load(std::memory_order_relaxed) + 1, std::memory_order_seq_cst);
        if (!writer_.load(std::memory_order_seq_cst)) [[likely]] return true;
        leave(own);
        return false;
    }
    // release: our reads come before the writer's changes (its seq_cst load).
    static void leave(std::atomic<u32>& own) {
        own.store(own.load(std::memory_order_relaxed) - 1, std::memory_order_release);
    }

    DynamicPerCpu<Count> counts_;
    RawQueuedLock writers_;
    std::atomic<bool> writer_{false};
};

class BigReaderLock : public BasicSpinRwLock<RawBigReaderLock> {
  public:
    // Error::NoMemory. Thread context.
    [[nodiscard]] static Result<BigReaderLock> create(LockRank rank, char const* name) {
        return BigReaderLock{TRY(RawBigReaderLock::create()), rank, name};
    }

  private:
    using BasicSpinRwLock::BasicSpinRwLock;
};

}  // namespace tutti::smp
