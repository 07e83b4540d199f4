// SPDX-License-Identifier: BSD-3-Clause
#include "mem/paging/tlb.hpp"

#include <algorithm>

#include "arch/page_table_format.hpp"
#include "hal/cpu.hpp"
#include "smp/ipi/call.hpp"

namespace tutti::mem {
namespace {

struct Range {
    u64 from;
    u64 to;
};

ISR_SAFE void flush_local(Range const& range) { arch::flush_range(range.from, range.to); }

}  // namespace

Result<> TlbDomain::init() {
    cpus_ = TRY(smp::CpuSet::create(hal::cpu_count()));
    return {};
}

void TlbDomain::flush(VirtAddr from, VirtAddr to) {
    if (from >= to) return;
    Range range{from.value(), to.value()};
    // Pairs with the fence in enter(). A CPU that left meanwhile has loaded another root, and with it dropped what it
    // had of ours.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if constexpr (arch::kFlushReachesAllCpus) return flush_local(range);
    smp::call_on_set(cpus_, [](void* argument) ISR_SAFE_LAMBDA { flush_local(*static_cast<Range const*>(argument)); }, &range);
}

void TlbBatch::add(VirtAddr address, Frame* frame) {
    from_ = std::min(from_, address);
    to_ = std::max(to_, VirtAddr{address + kPageSize});
    if (frame == nullptr) return;
    frames_[count_++] = frame;
    if (count_ == kCapacity) flush();
}

void TlbBatch::flush() {
    domain_.flush(from_, to_);
    for (size_t i = 0; i < count_; ++i) frames_[i]->put();
    count_ = 0;
    from_ = VirtAddr{~u64{0}};
    to_ = VirtAddr{};
}

}  // namespace tutti::mem
