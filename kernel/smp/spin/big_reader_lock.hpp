// SPDX-License-Identifier: BSD-3-Clause
// Reader-writer spin lock whose read side scales: a reader writes only a counter in its own CPU's cache line; a writer
// looks at every CPU's. For data that is read by all CPUs all the time and changed now and then (areas of an address
// space). Used with SpinReadGuard and SpinWriteGuard of spin/rw_lock.hpp.
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
// only while writers follow each other without a gap. A read section may nest in another of the same lock on the same
// CPU only if no writer can come, so do not nest.
#pragma once

#include <atomic>

#include "smp/percpu/percpu.hpp"
#include "smp/spin/rw_lock.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::smp {

class CAPABILITY("spin lock") BigReaderLock {
  public:
    // Error::NoMemory. Thread context.
    [[nodiscard]] static Result<BigReaderLock> create(LockRank rank, char const* name) {
        return BigReaderLock{TRY(DynamicPerCpu<Count>::create()), rank, name};
    }
    // Before the lock is shared.
    BigReaderLock(BigReaderLock&& other) noexcept
        : counts_{std::move(other.counts_)}, rank_{other.rank_}, name_{other.name_}, writers_{other.rank_, other.name_} {}

    void lock_shared(NoPreempt const& here) ACQUIRE_SHARED() NO_THREAD_SAFETY_ANALYSIS {
        std::atomic<u32>& count = counts_.local(here).readers;
        while (true) {
            count.fetch_add(1, std::memory_order_seq_cst);
            if (!writer_.load(std::memory_order_seq_cst)) [[likely]] return;
            count.fetch_sub(1, std::memory_order_release);
            // The acquire that matters is the next round's; this only waits.
            while (writer_.load(std::memory_order_relaxed)) arch::pause();
        }
    }
    // On the CPU that locked, which preemption off guarantees.
    void unlock_shared() RELEASE_SHARED() NO_THREAD_SAFETY_ANALYSIS {
        // release: our reads come before the writer's changes (its seq_cst load).
        counts_.local(AssumeNoPreempt{}).readers.fetch_sub(1, std::memory_order_release);
    }
    void lock(NoPreempt const& here) ACQUIRE() NO_THREAD_SAFETY_ANALYSIS {
        writers_.lock(here);
        writer_.store(true, std::memory_order_seq_cst);
        for_each_cpu([&](CpuId cpu) {
            while (counts_.on(cpu).readers.load(std::memory_order_seq_cst) != 0) arch::pause();
        });
    }
    void unlock() RELEASE() NO_THREAD_SAFETY_ANALYSIS {
        // release: our changes come before the readers that see the flag clear (their seq_cst load).
        writer_.store(false, std::memory_order_release);
        writers_.unlock();
    }

  private:
    struct Count {
        std::atomic<u32> readers{0};
    };
    BigReaderLock(DynamicPerCpu<Count> counts, LockRank rank, char const* name)
        : counts_{std::move(counts)}, rank_{rank}, name_{name}, writers_{rank, name} {}

    DynamicPerCpu<Count> counts_;
    LockRank rank_;
    char const* name_;
    QueuedSpinLock writers_;
    std::atomic<bool> writer_{false};
};

}  // namespace tutti::smp
