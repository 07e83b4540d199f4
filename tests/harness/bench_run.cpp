// SPDX-License-Identifier: BSD-3-Clause
// Runs the BENCH cases of the bench image, in place of the unit tests, and reports as they do.
#include "base/assert.hpp"
#include "hal/console.hpp"
#include "hal/power.hpp"
#include "harness/bench.hpp"
#include "harness/test.hpp"
#include "sched/thread.hpp"

extern "C" {
extern tutti::harness::BenchCase const* const __start_tutti_benches[];
extern tutti::harness::BenchCase const* const __stop_tutti_benches[];
}

namespace tutti::harness {
namespace {

struct Run {
    BenchCase const* bench_case;
    Bench bench{};
};

void print(std::string_view line) {
    char buffer[200];
    hal::early_console_write(format_to(buffer, "{}\n", line));
}

}  // namespace

void run_all(std::string_view, u64) {
    char line[160];
    print(format_to(line, "1..{}", __stop_tutti_benches - __start_tutti_benches));
    u32 number = 0;
    bool all_counted = true;
    for (BenchCase const* const* b = __start_tutti_benches; b != __stop_tutti_benches; ++b) {
        Run run{.bench_case = *b};
        auto thread = sched::Thread::create(
            {.name = "bench"},
            [](void* argument) {
                auto& own = *static_cast<Run*>(argument);
                own.bench_case->run(own.bench);
            },
            &run);
        CHECK(thread, "no memory for a benchmark's thread");
        (*thread)->start();
        (void)(*thread)->join();
        i64 const tenths = run.bench.tenths();
        all_counted = all_counted && tenths >= 0;
        print(format_to(line, "{} {} - {}.{} # instructions={}.{}", tenths >= 0 ? "ok" : "not ok", ++number, (*b)->suite,
                        (*b)->name, tenths / 10, tenths % 10));
    }
    hal::debug_exit(all_counted ? 0 : 1);
}

}  // namespace tutti::harness
