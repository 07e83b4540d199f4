// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/futex/table.hpp"

#include <bit>
#include <new>

#include "smp/percpu/percpu.hpp"

namespace tutti::linux_abi {

namespace {

constexpr size_t kBucketsPerCpu = 256;

// Set once at boot, before the first user thread; read-only from then on.
constinit FutexBucket* buckets = nullptr;
constinit u64 bucket_mask = 0;

}  // namespace

Result<> initialize_futexes() {
    size_t const count = std::bit_ceil(kBucketsPerCpu * smp::cpu_count());
    buckets = new (std::nothrow) FutexBucket[count];
    if (buckets == nullptr) return fail(Error::NoMemory);
    bucket_mask = count - 1;
    return {};
}

FutexBucket& futex_bucket(FutexKey const& key) { return buckets[key.hash() & bucket_mask]; }
std::span<FutexBucket> all_futex_buckets() { return {buckets, bucket_mask + 1}; }

void FutexWakeBatch::take(FutexBucket& bucket, FutexWaiter& waiter) {
    bucket.waiters.remove(waiter);
    threads_[count_++] = Ref<sched::Thread>{*waiter.thread};
    waiter.bucket.store(nullptr, std::memory_order_release);  // pairs with the acquire in futex_wait
}

void FutexWakeBatch::wake_all() {
    smp::WakePath const path;
    for (size_t i = 0; i < count_; ++i) {
        threads_[i]->unpark();
        threads_[i].reset();
    }
    count_ = 0;
}

}  // namespace tutti::linux_abi
