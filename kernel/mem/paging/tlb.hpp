// SPDX-License-Identifier: BSD-3-Clause
// Translation caches: which CPUs may hold translations of an address space, and getting rid of stale ones.
//
// Why no CPU keeps a stale translation. A CPU enters the domain, fences, and loads the root. A flusher
// changes the entries, fences, and reads the domain. Both fences are sequentially consistent: either the flusher sees the CPU and interrupts it, or the CPU loaded the root after the entries had changed. A frame
// is put only after every CPU of the domain has answered. Where the hardware broadcasts, it does the asking and waiting.
#pragma once

#include <atomic>

#include "base/result.hpp"
#include "mem/frame/frame.hpp"
#include "smp/context/wake_path.hpp"
#include "smp/percpu/cpu_set.hpp"

namespace tutti::mem {

class TlbDomain {
  public:
    [[nodiscard]] Result<> init();

    // Around loading and leaving the root on this CPU.
    void enter(CpuId cpu) {
        cpus_.add(cpu);
        // Pairs with the fence in flush(): membership is visible before this CPU's walks of the table.
        std::atomic_thread_fence(std::memory_order_seq_cst);
    }
    void leave(CpuId cpu) { cpus_.remove(cpu); }

    // Drops translations of [from, to) on every CPU of the domain and waits until all have done so.
    // Interrupts on, no spinning lock held: the others may be waiting for this CPU too.
    void flush(VirtAddr from, VirtAddr to) EXCLUDES(smp::wake_path);

  private:
    smp::CpuSet cpus_;
};

// Frames displaced from page-table entries, put after the flush. Flushes by itself when full and at its end.
class TlbBatch {
  public:
    explicit TlbBatch(TlbDomain& domain) : domain_{domain} {}
    TlbBatch(TlbBatch const&) = delete;
    TlbBatch& operator=(TlbBatch const&) = delete;
    ~TlbBatch() { flush(); }

    // An entry for `address` changed; `frame` (may be null) is put after the flush.
    void add(VirtAddr address, Frame* frame);
    void flush();

  private:
    static constexpr size_t kCapacity = 64;
    TlbDomain& domain_;
    VirtAddr from_{~u64{0}};
    VirtAddr to_;
    size_t count_ = 0;
    Frame* frames_[kCapacity];
};

}  // namespace tutti::mem
