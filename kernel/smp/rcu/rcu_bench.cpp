// SPDX-License-Identifier: BSD-3-Clause
#include "harness/bench.hpp"
#include "smp/rcu/rcu.hpp"

namespace tutti::smp::rcu {
namespace {

BENCH(rcu, read_guard) {
    bench.count([] { ReadGuard const reading; });
}
BENCH(rcu, synchronize) {
    bench.count([] { synchronize(); });
}
BENCH(rcu, defer) {
    static constinit Callback callbacks[harness::Bench::kTimes + 16];
    u32 next = 0;
    bench.count([&] { rcu::defer(callbacks[next++], [](Callback&) {}); });
    barrier();
}

}  // namespace
}  // namespace tutti::smp::rcu
