// SPDX-License-Identifier: BSD-3-Clause
#include "harness/bench.hpp"
#include "smp/spin/big_reader_lock.hpp"
#include "smp/spin/rw_lock.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::smp {
namespace {

constinit SpinLock lock{LockRank::Driver, "bench"};
constinit TicketLock ticket_lock{LockRank::Driver, "bench"};
constinit SpinRwLock rw_lock{LockRank::Driver, "bench"};

BENCH(spin, preempt_guard) {
    bench.count([] { PreemptGuard const guard; });
}
BENCH(spin, irq_off_guard) {
    bench.count([] { IrqOffGuard const guard; });
}
BENCH(spin, lock_unlock) {
    PreemptGuard const here;
    bench.count([&]() NO_THREAD_SAFETY_ANALYSIS {
        lock.lock(here);
        lock.unlock();
    });
}
BENCH(spin, guard) {
    bench.count([] { SpinGuard const guard{lock}; });
}
BENCH(spin, irq_guard) {
    bench.count([] { SpinIrqGuard const guard{lock}; });
}
BENCH(spin, ticket_guard) {
    bench.count([] { SpinGuard const guard{ticket_lock}; });
}
BENCH(spin, read_guard) {
    bench.count([] { SpinReadGuard<SpinRwLock> const guard{rw_lock}; });
}
BENCH(spin, big_reader_guard) {
    Result<BigReaderLock> made = BigReaderLock::create(LockRank::Driver, "bench");
    CHECK(made);
    bench.count([&] { SpinReadGuard<BigReaderLock> const guard{*made}; });
}

}  // namespace
}  // namespace tutti::smp
