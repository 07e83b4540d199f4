// SPDX-License-Identifier: BSD-3-Clause
// Runs the unit tests of the image, one case after another, each in threads of its own.
#include <optional>

#include "base/assert.hpp"
#include "base/vector.hpp"
#include "hal/clock.hpp"
#include "hal/console.hpp"
#include "hal/power.hpp"
#include "harness/test.hpp"
#include "sched/thread.hpp"
#include "smp/debug/panic.hpp"

extern "C" {
extern tutti::harness::TestCase const __tests_start[];
extern tutti::harness::TestCase const __tests_end[];
}

namespace tutti::harness {
namespace {

constexpr Nanoseconds kTimeLimit = Nanoseconds::from_s(60);

constinit std::atomic<u32> failures{0};      // of the running case
constinit std::atomic<u64> current_seed{0};
constinit std::atomic<bool> seed_used{false};
constinit TestCase const* current_case = nullptr;

// A barrier for any number of rounds: the last to arrive opens the next round.
struct Meeting {
    std::atomic<u32> expected{1};
    std::atomic<u32> arrived{0};
    std::atomic<u32> round{0};
};
constinit Meeting meeting;

void print(std::string_view line) {
    char buffer[320];
    hal::early_console_write(format_to(buffer, "{}\n", line));
}

// `*` matches any run of characters.
bool matches(std::string_view glob, std::string_view text) {
    if (glob.empty()) return text.empty();
    if (glob.front() == '*')
        return matches(glob.substr(1), text) || (!text.empty() && matches(glob, text.substr(1)));
    return !text.empty() && glob.front() == text.front() && matches(glob.substr(1), text.substr(1));
}

u64 hash(std::string_view text) {
    u64 value = 0xcbf29ce484222325u;  // FNV-1a
    for (char const c : text) value = (value ^ static_cast<u8>(c)) * 0x100000001b3u;
    return value;
}

[[noreturn]] void give_up(std::string_view name) {
    char line[160];
    print(format_to(line, "# {} did not end within {} s; every CPU:", name, kTimeLimit.count() / 1'000'000'000));
    smp::report_all_cpus();
    print("Bail out! a test hangs");
    hal::debug_exit(1);
}

struct CpuRun {
    TestCase const* test_case;
    CpuId cpu;
};

void run_case(TestCase const& test_case, std::string_view name) {
    u32 const cpus = test_case.run_on_cpu != nullptr ? smp::online_count() : 1;
    meeting.expected.store(cpus, std::memory_order_relaxed);
    meeting.arrived.store(0, std::memory_order_relaxed);
    Vector<CpuRun> runs;
    Vector<Ref<sched::Thread>> threads;
    CHECK(runs.try_resize(cpus) && threads.try_reserve(cpus));
    for (u32 i = 0; i < cpus; ++i) {
        runs[i] = {&test_case, CpuId{i}};
        Result<smp::CpuSet> set = smp::CpuSet::create(smp::cpu_count());
        CHECK(set);
        set->add(CpuId{i});
        sched::ThreadOptions const options{.name = "test",
                                           .affinity = test_case.run_on_cpu != nullptr ? &*set : nullptr};
        auto thread = sched::Thread::create(
            options,
            [](void* argument) {
                auto const& run = *static_cast<CpuRun*>(argument);
                if (run.test_case->run != nullptr)
                    run.test_case->run();
                else
                    run.test_case->run_on_cpu(run.cpu, smp::online_count());
            },
            &runs[i]);
        CHECK(thread, "no memory for a test's thread");
        (void)threads.try_push_back(std::move(*thread));
    }
    Deadline const deadline = hal::now() + kTimeLimit;
    for (auto& thread : threads) thread->start();
    for (auto& thread : threads)
        if (!thread->join(deadline)) give_up(name);
}

}  // namespace

void report_failure(char const* file, int line, std::string_view text) {
    failures.fetch_add(1, std::memory_order_relaxed);
    char buffer[300];
    print(format_to(buffer, "# {}:{}: {}", file, line, text));
}

void note(std::string_view text) {
    char buffer[260];
    print(format_to(buffer, "# {}", text));
}

u64 seed() {
    seed_used.store(true, std::memory_order_relaxed);
    return current_seed.load(std::memory_order_relaxed);
}

void meet() {
    u32 const round = meeting.round.load(std::memory_order_acquire);
    // acq_rel: what everybody did before the meeting is visible to everybody after it.
    if (meeting.arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == meeting.expected.load(std::memory_order_relaxed)) {
        meeting.arrived.store(0, std::memory_order_relaxed);
        meeting.round.store(round + 1, std::memory_order_release);
        return;
    }
    while (meeting.round.load(std::memory_order_acquire) == round) sched::yield();
}

void run_all(std::string_view filter, u64 run_seed) {
    u32 selected = 0;
    char name[128];
    auto const name_of_case = [&](TestCase const& test_case) {
        return format_to(name, "{}.{}", test_case.suite, test_case.name);
    };
    for (TestCase const* t = __tests_start; t != __tests_end; ++t)
        selected += filter.empty() || matches(filter, name_of_case(*t));

    char line[200];
    print("TAP version 13");
    print(format_to(line, "1..{}", selected));
    print(format_to(line, "# {} CPUs, seed={}", smp::online_count(), run_seed));
    u32 number = 0;
    u32 failed = 0;
    for (TestCase const* t = __tests_start; t != __tests_end; ++t) {
        std::string_view const full_name = name_of_case(*t);
        if (!filter.empty() && !matches(filter, full_name)) continue;
        current_case = t;
        failures.store(0, std::memory_order_relaxed);
        seed_used.store(false, std::memory_order_relaxed);
        current_seed.store(run_seed ^ hash(full_name), std::memory_order_relaxed);
        Nanoseconds const start = hal::now();
        run_case(*t, full_name);
        i64 const milliseconds = (hal::now() - start).count() / 1'000'000;
        bool const ok = failures.load(std::memory_order_relaxed) == 0;
        failed += !ok;
        if (!ok && seed_used.load(std::memory_order_relaxed))
            print(format_to(line, "# replay with: tests={} seed={}", full_name, run_seed));
        print(format_to(line, "{} {} - {} # time={}ms", ok ? "ok" : "not ok", ++number, full_name, milliseconds));
    }
    hal::debug_exit(failed == 0 ? 0 : 1);
}

}  // namespace tutti::harness
