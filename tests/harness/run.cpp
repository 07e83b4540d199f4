// SPDX-License-Identifier: BSD-3-Clause
// Runs the unit tests of the image, one case after another, each in threads of its own, and reports them as TAP.
#include "arch/cpu.hpp"
#include "base/assert.hpp"
#include "base/string.hpp"
#include "base/vector.hpp"
#include "hal/boot_info.hpp"
#include "hal/clock.hpp"
#include "hal/power.hpp"
#include "harness/death.hpp"
#include "harness/test.hpp"
#include "harness/watchdog.hpp"
#include "sched/thread.hpp"
#include "sched/timers/sleep.hpp"
#include "smp/debug/log_ring.hpp"

extern "C" {
// By the linker: pointers to the cases.
extern tutti::harness::TestCase const* const __start_tutti_tests[];
extern tutti::harness::TestCase const* const __stop_tutti_tests[];
}

namespace tutti::harness {
namespace {

// Xen in our tests is a hypervisor inside an emulator.
i64 patience() { return std::string_view{hal::boot_info().platform} == "xen" ? 5 : 1; }

// What the threads of the running case say about it.
struct Current {
    std::atomic<u32> failures{0};
    std::atomic<char const*> skip_reason{nullptr};
    std::atomic<u64> seed{0};
    std::atomic<bool> seed_used{false};
    std::atomic<u64> schedule_steps{0};
    std::atomic<u64> schedule_digest{0};
};
constinit Current current;

// A barrier for any number of rounds: the last to arrive opens the next round.
struct Meeting {
    std::atomic<u32> expected{1};
    std::atomic<u32> arrived{0};
    std::atomic<u32> round{0};
};
constinit Meeting meeting;

void print(std::string_view line) { smp::write_console_line(line); }

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

struct Selection {
    std::string_view filter;

    // `full_name` is what the report calls it; a pattern for the case selects all its variants.
    [[nodiscard]] bool contains(TestCase const& test_case, std::string_view full_name) const {
        if (filter.empty()) return !test_case.options.on_request;
        std::string_view const suite = test_case.suite;
        std::string_view const plain_name = full_name.substr(0, full_name.find('/'));
        for (std::string_view rest = filter; !rest.empty();) {
            size_t const comma = rest.find(',');
            std::string_view const glob = rest.substr(0, comma);
            rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
            bool const spelt_out = glob.starts_with(suite) && glob.substr(suite.size()).starts_with('.');
            if (test_case.options.on_request && !spelt_out) continue;
            if (matches(glob, full_name) || matches(glob, plain_name)) return true;
        }
        return false;
    }
};

// Calls use(case, instance, name) for every case, variant and CPU.
template <class Use>
void for_each_instance(Use&& use) {
    for (TestCase const* const* t = __start_tutti_tests; t != __stop_tutti_tests; ++t) {
        TestCase const& test_case = **t;
        u32 const variants = test_case.describe != nullptr ? test_case.variants : 1;
        u32 const places = test_case.options.on == On::EachCpu ? smp::online_count() : 1;
        for (u32 variant = 0; variant < variants; ++variant)
            for (u32 place = 0; place < places; ++place) {
                char variant_buffer[48];
                char buffer[160];
                FixedString<160> name{format_to(buffer, "{}.{}", test_case.suite, test_case.name)};
                if (test_case.describe != nullptr)
                    name.assign(format_to(buffer, "{}/{}", name.view(), test_case.describe(variant_buffer, variant)));
                if (test_case.options.on == On::EachCpu) name.assign(format_to(buffer, "{}/cpu{}", name.view(), place));
                use(test_case, Instance{CpuId{place}, smp::online_count(), variant}, name.view());
            }
    }
}

struct Run {
    TestCase const* test_case;
    Instance instance;
};

void run_body(void* argument) {
    auto const& run = *static_cast<Run*>(argument);
    char const* const death = run.test_case->options.death;
    if (death == nullptr)
        run.test_case->run(run.instance);
    else
        (void)expect_death(
            [](void* same) {
                auto const& own = *static_cast<Run*>(same);
                own.test_case->run(own.instance);
            },
            argument, death, run.test_case->file, run.test_case->line);
}

void run_instance(TestCase const& test_case, Instance const& instance, std::string_view name) {
    bool const all = test_case.options.on == On::AllCpus;
    bool const pinned = test_case.options.on != On::OneThread;
    CHECK(!all || test_case.options.death == nullptr, "{}: one thread only can be expected to die", name);
    u32 const count = all ? instance.cpus : 1;
    meeting.expected.store(count, std::memory_order_relaxed);
    meeting.arrived.store(0, std::memory_order_relaxed);
    Vector<Run> runs;
    Vector<Ref<sched::Thread>> threads;
    CHECK(runs.try_resize(count) && threads.try_reserve(count));
    for (u32 i = 0; i < count; ++i) {
        CpuId const cpu = all ? CpuId{i} : instance.cpu;
        runs[i] = {&test_case, {cpu, instance.cpus, instance.variant}};
        Result<smp::CpuSet> set = smp::CpuSet::create(smp::cpu_count());
        CHECK(set);
        set->add(cpu);
        sched::ThreadOptions const options{.name = "test", .affinity = pinned ? &*set : nullptr};
        auto thread = sched::Thread::create(options, run_body, &runs[i]);
        CHECK(thread, "no memory for a test's thread");
        (void)threads.try_push_back(std::move(*thread));
    }
    i64 const times = instance.cpus > kUsualCpus ? instance.cpus / kUsualCpus : 1;
    Nanoseconds const limit{test_case.options.limit.count() * times * patience()};
    Deadline const deadline = hal::now() + limit;
    watchdog_watch(name, limit, deadline);
    for (auto& thread : threads) thread->start();
    for (auto& thread : threads)
        if (!thread->join(deadline)) give_up(name, limit);
    watchdog_watch({}, limit, kNever);
}

class Report {
  public:
    explicit Report(u64 seed) : seed_{seed} {}

    void run(TestCase const& test_case, Instance const& instance, std::string_view name) {
        current.failures.store(0, std::memory_order_relaxed);
        current.skip_reason.store(nullptr, std::memory_order_relaxed);
        current.seed_used.store(false, std::memory_order_relaxed);
        current.schedule_steps.store(0, std::memory_order_relaxed);
        current.schedule_digest.store(0, std::memory_order_relaxed);
        current.seed.store(seed_ ^ hash(name), std::memory_order_relaxed);
        Nanoseconds const start = hal::now();
        char reason[64];
        std::string_view skipped;
        if (smp::online_count() < test_case.options.min_cpus) {
            skipped = format_to(reason, "needs {} CPUs", test_case.options.min_cpus);
        } else {
            run_instance(test_case, instance, name);
            if (char const* const why = current.skip_reason.load(std::memory_order_relaxed)) skipped = why;
        }
        tell_how_to_replay(name);
        bool const ok = current.failures.load(std::memory_order_relaxed) == 0;
        failed_ += !ok;
        char line[300];
        if (ok && !skipped.empty())
            print(format_to(line, "ok {} - {} # SKIP {}", ++number_, name, skipped));
        else
            print(format_to(line, "{} {} - {} # time={}ms", ok ? "ok" : "not ok", ++number_, name,
                            (hal::now() - start).count() / 1'000'000));
    }

    [[nodiscard]] u32 failed() const { return failed_; }

  private:
    void tell_how_to_replay(std::string_view name) const {
        if (!current.seed_used.load(std::memory_order_relaxed)) return;
        char line[300];
        print(format_to(line, "# random: replay with tests={} seed={} on {} CPUs", name, seed_, smp::online_count()));
        if (u64 const steps = current.schedule_steps.load(std::memory_order_relaxed); steps != 0)
            print(format_to(line, "# schedule: {} random delays, digest {:#x}", steps,
                            current.schedule_digest.load(std::memory_order_relaxed)));
    }

    u64 seed_;
    u32 number_ = 0;
    u32 failed_ = 0;
};

[[noreturn]] void list_cases() {
    u32 count = 0;
    print("TAP version 13");
    for_each_instance([&](TestCase const& test_case, Instance const&, std::string_view name) {
        CaseOptions const& options = test_case.options;
        std::string_view const on = options.on == On::AllCpus   ? "all-cpus"
                                    : options.on == On::EachCpu ? "each-cpu"
                                                                : "one-thread";
        char line[300];
        print(format_to(line, "# case {} {} limit={}ms min-cpus={}{}{} {}:{}", name, on,
                        options.limit.count() / 1'000'000, options.min_cpus, options.death != nullptr ? " death" : "",
                        options.on_request ? " on-request" : "", test_case.file, test_case.line));
        ++count;
    });
    char line[80];
    print(format_to(line, "1..0 # SKIP the list of {} cases was wanted", count));
    hal::debug_exit(0);
}

}  // namespace

ISR_SAFE void report_failure(char const* file, int line, std::string_view text) {
    current.failures.fetch_add(1, std::memory_order_relaxed);
    char buffer[300];
    print(format_to(buffer, "# {}:{}: {}", file, line, text));
}

u32 detail::failures() { return current.failures.load(std::memory_order_relaxed); }

void note(std::string_view text) {
    char buffer[260];
    print(format_to(buffer, "# {}", text));
}

void skip(char const* reason) { current.skip_reason.store(reason, std::memory_order_relaxed); }

u64 seed() {
    current.seed_used.store(true, std::memory_order_relaxed);
    return current.seed.load(std::memory_order_relaxed);
}

void Schedule::step() {
    u64 const choice = random_.below(16);
    digest_ = digest_ * 31 + choice + 1;
    ++steps_;
    if (choice < 2)
        sched::yield();
    else if (choice < 8)
        for (u64 i = u64{1} << choice; i != 0; --i) arch::pause();
}

Schedule::~Schedule() {
    current.schedule_steps.fetch_add(steps_, std::memory_order_relaxed);
    current.schedule_digest.fetch_xor(digest_, std::memory_order_relaxed);  // in whatever order the threads end
}

void meet() {
    u32 const round = meeting.round.load(std::memory_order_acquire);
    // acq_rel: what everybody did before the meeting is visible to everybody after it.
    if (meeting.arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == meeting.expected.load(std::memory_order_relaxed)) {
        meeting.arrived.store(0, std::memory_order_relaxed);
        meeting.round.store(round + 1, std::memory_order_release);
        return;
    }
    // With few CPUs all leave at once; with many, those that wait leave the host's to those that are awaited.
    bool const many = meeting.expected.load(std::memory_order_relaxed) > kUsualCpus;
    while (meeting.round.load(std::memory_order_acquire) == round) {
        if (many)
            (void)sched::sleep_for(Nanoseconds::from_us(200));
        else
            sched::yield();
    }
}

void run_all(std::string_view filter, u64 run_seed) {
    if (filter == "list") list_cases();
    death_init();
    watchdog_init();
    // Short enough to type again.
    if (run_seed == 0) run_seed = 1 + SplitMix64{static_cast<u64>((hal::wall_clock_at_boot() + hal::now()).count())}.below(999'999'999);
    Selection const selection{filter};
    u32 selected = 0;
    for_each_instance([&](TestCase const& test_case, Instance const&, std::string_view name) {
        selected += selection.contains(test_case, name);
    });
    char line[200];
    print("TAP version 13");
    print(format_to(line, "1..{}", selected));
    print(format_to(line, "# {} CPUs, seed={}", smp::online_count(), run_seed));
    Report report{run_seed};
    for_each_instance([&](TestCase const& test_case, Instance const& instance, std::string_view name) {
        if (selection.contains(test_case, name)) report.run(test_case, instance, name);
    });
    hal::debug_exit(report.failed() == 0 ? 0 : 1);
}

}  // namespace tutti::harness
