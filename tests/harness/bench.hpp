// SPDX-License-Identifier: BSD-3-Clause
// Counting the instructions of an operation, inside the kernel: `foo_bench.cpp` beside foo, in the bench image.
//
//   BENCH(spin_lock, lock_unlock) { count(bench, [] { SpinGuard const guard{lock}; }); }
//
// Under `run-tap --icount`, with one CPU, guest time passes by one nanosecond for each instruction, so the figure is exact
// and does not depend on the host. bench/instructions compares it with the baseline.
#pragma once

#include "base/compiler.hpp"
#include "base/types.hpp"
#include "hal/clock.hpp"

namespace tutti::harness {

class Bench {
  public:
    static constexpr u32 kTimes = 1000;

    // Runs operation() kTimes times after a few that warm up; the loop itself is not counted. Operations that come in
    // pairs may say how many one call is. Once in a case. Thread context.
    template <class Operation>
    void count(Operation&& operation, u32 operations_in_one = 1) {
        for (u32 i = 0; i < 16; ++i) operation();
        i64 const with = measure(operation);
        i64 const without = measure([] {});
        tenths_ = (with - without) * 10 / (i64{kTimes} * operations_in_one);
    }
    // Instructions of one operation, in tenths; negative: nothing was counted.
    [[nodiscard]] i64 tenths() const { return tenths_; }

  private:
    template <class Operation>
    [[nodiscard]] static i64 measure(Operation&& operation) {
        Nanoseconds const start = hal::now();
        for (u32 i = 0; i < kTimes; ++i) {
            operation();
            compiler_barrier();
        }
        return (hal::now() - start).count();
    }

    i64 tenths_ = -1;
};

struct BenchCase {
    char const* suite;
    char const* name;
    void (*run)(Bench&);
};

}  // namespace tutti::harness

#define BENCH(suite_name, case_name)                                                                               \
    static void tutti_bench_##suite_name##_##case_name(::tutti::harness::Bench&);                                  \
    static constexpr ::tutti::harness::BenchCase tutti_bench_case_##suite_name##_##case_name{                      \
        #suite_name, #case_name, tutti_bench_##suite_name##_##case_name};                                          \
    [[gnu::section("tutti_benches"), gnu::used, gnu::retain]] static constexpr ::tutti::harness::BenchCase const* \
        tutti_bench_listed_##suite_name##_##case_name = &tutti_bench_case_##suite_name##_##case_name;              \
    static void tutti_bench_##suite_name##_##case_name(::tutti::harness::Bench& bench)
