// SPDX-License-Identifier: BSD-3-Clause
#include "harness/bench.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::smp {
namespace {

PERCPU_SECTION constinit PerCpu<u64> counter;

BENCH(percpu, add) {
    bench.count([] { counter.add(1); });
}
BENCH(percpu, load) {
    bench.count([] { asm volatile("" ::"r"(counter.load())); });
}
BENCH(percpu, local) {
    PinGuard const pin;
    bench.count([&] { asm volatile("" ::"r"(&counter.local(pin))); });
}

}  // namespace
}  // namespace tutti::smp
