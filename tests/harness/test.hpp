// SPDX-License-Identifier: BSD-3-Clause
// The in-kernel unit-test framework: suites and cases, run by the test image's init, reported as TAP version 13.
//
//   TEST(frame_allocator, returns_what_it_took) { EXPECT_EQ(before, after); }      one thread
//   TEST_ALL_CPUS(wait_queue, wakes_everybody) { ... cpu, cpus ... }               the body runs on every CPU at once
//   TEST_EACH_CPU(timer, fires_here) { ... cpu, cpus ... }                         on one CPU after the other
//   TEST_F(RingTest, wraps) { EXPECT(ring.empty()); }                              member of a struct RingTest of its own
//   TEST_P(ring, keeps_order, values(1, 2, 64)) { ... parameter ... }              ring.keeps_order/64
//   TEST_TYPES(lock, excludes, SpinLocks) { Type lock; ... }                       using SpinLocks = harness::Types<A, B>
//   TEST_DEATH(mutex, recursion, "locked twice") { ... }                           must panic with this in the message
//   TEST(rcu, storm, .limit = Nanoseconds::from_s(120), .min_cpus = 2) { ... }     options: test_case.hpp
//
// EXPECT* records a failure and goes on; REQUIRE* ends the case; SKIP ends it with a printed reason. EXPECT_DEATH runs a
// function in a thread of its own, as TEST_DEATH does with its body. A case that does not end within its limit ends the
// run with a report of every CPU's stack. random() is seeded from the run's seed (kernel command line seed=N) and the
// case's name; every case that used it prints how to replay it.
#pragma once

#include <atomic>

#include "base/random.hpp"
#include "base/result.hpp"
#include "harness/test_case.hpp"

namespace tutti::harness {

// Records a failure of the running case, from any of its threads.
void report_failure(char const* file, int line, std::string_view text);
// A line of diagnostics in the report ("# ...").
void note(std::string_view text);
template <class... Args>
void note(FormatString<Args...> format, Args const&... args)
    requires(sizeof...(Args) > 0)
{
    char buffer[200];
    note(format_to(buffer, format, args...));
}

// The seed of the running case.
[[nodiscard]] u64 seed();
[[nodiscard]] inline SplitMix64 random(u64 stream = 0) { return SplitMix64{seed() + stream * 0x9e3779b97f4a7c15u}; }

// Random delays between the steps of one thread, drawn from the seed, so that threads meet in other ways in each run.
// The report tells how many steps there were and a digest of all decisions. Thread context.
class Schedule {
  public:
    explicit Schedule(u64 stream) : random_{random(~stream)} {}
    ~Schedule();
    Schedule(Schedule const&) = delete;
    Schedule& operator=(Schedule const&) = delete;
    // Goes on at once, spins for a moment, or yields.
    void step();

  private:
    SplitMix64 random_;
    u64 digest_ = 0;
    u64 steps_ = 0;
};

// All threads of a TEST_ALL_CPUS body meet here; usable any number of times.
void meet();

// How many CPUs a case's work and its limit are made for.
inline constexpr u32 kUsualCpus = 8;
// Rounds of a storm on each of `cpus`: `wanted`, or so many that all together do no more than the usual number of CPUs.
// Machines with more have them from a host with fewer, where each wait for another CPU costs turns of all of them.
[[nodiscard]] constexpr u32 rounds_each(u32 wanted, u32 cpus) {
    if (cpus <= kUsualCpus) return wanted;
    u32 const share = static_cast<u32>(u64{wanted} * kUsualCpus / cpus);
    return share == 0 ? 1 : share;
}

// The rest of the case does not apply here; `reason` (which lives on) is printed.
void skip(char const* reason);

// Runs body(argument) in a thread of its own on the caller's CPUs; it must panic with `text` in the message. That thread
// is then abandoned where it stands: no destructor runs, its CPU is put back on the Thread rung, locks that it held stay
// locked, its stack stays. So everything that dies with it belongs to it alone. One at a time; Thread context.
bool expect_death(void (*body)(void* argument), void* argument, std::string_view text, char const* file, int line);

// Ends the machine with the result. Runs the cases whose "suite.name" matches `filter`: globs with *, separated by
// commas; empty: all; "list": prints what there is. `seed` 0: from the clock.
[[noreturn]] void run_all(std::string_view filter, u64 seed);

namespace detail {

template <class A, class B>
bool check_equal(A const& a, B const& b, char const* text, char const* file, int line) {
    if (a == b) return true;
    char buffer[240];
    if constexpr ((std::integral<A> || std::is_enum_v<A> || std::convertible_to<A const&, std::string_view>) &&
                  (std::integral<B> || std::is_enum_v<B> || std::convertible_to<B const&, std::string_view>))
        report_failure(file, line, format_to(buffer, "{}: {} differs from {}", text, a, b));
    else
        report_failure(file, line, text);
    return false;
}

template <class Body>
bool expect_death_of(Body&& body, std::string_view text, char const* file, int line) {
    return expect_death([](void* function) { (*static_cast<std::remove_reference_t<Body>*>(function))(); }, &body, text,
                        file, line);
}

[[nodiscard]] u32 failures();

// Construct, set_up, body unless that failed, tear_down, destroy.
template <class Fixture>
void run_fixture() {
    Fixture fixture;
    if constexpr (requires { fixture.set_up(); }) fixture.set_up();
    if (failures() == 0) fixture.tutti_body();
    if constexpr (requires { fixture.tear_down(); }) fixture.tear_down();
}

}  // namespace detail
}  // namespace tutti::harness

// Bodies are not inlined: a backtrace shall name them.
// The structure, and in a section of its own a pointer to it: an array of pointers has no gaps.
#define TUTTI_TEST_CASE(suite_name, case_name, ...)                                                            \
    static constexpr ::tutti::harness::TestCase tutti_case_##suite_name##_##case_name{                          \
        #suite_name, #case_name, TUTTI_FILE_NAME, __LINE__, __VA_ARGS__};                                       \
    [[gnu::section("tutti_tests"), gnu::used, gnu::retain]] static constexpr ::tutti::harness::TestCase const*  \
        tutti_listed_##suite_name##_##case_name = &tutti_case_##suite_name##_##case_name

#define TUTTI_PLAIN_TEST(suite_name, case_name, options)                                                         \
    NOINLINE static void tutti_test_##suite_name##_##case_name();                                                       \
    TUTTI_TEST_CASE(suite_name, case_name,                                                                       \
                    [](::tutti::harness::Instance const&) { tutti_test_##suite_name##_##case_name(); }, options); \
    static void tutti_test_##suite_name##_##case_name()

#define TUTTI_CPU_TEST(suite_name, case_name, options)                                                              \
    NOINLINE static void tutti_test_##suite_name##_##case_name(::tutti::CpuId, ::tutti::u32);                              \
    TUTTI_TEST_CASE(                                                                                                \
        suite_name, case_name,                                                                                      \
        [](::tutti::harness::Instance const& here) { tutti_test_##suite_name##_##case_name(here.cpu, here.cpus); }, \
        options);                                                                                                   \
    static void tutti_test_##suite_name##_##case_name([[maybe_unused]] ::tutti::CpuId cpu, [[maybe_unused]] ::tutti::u32 cpus)

#define TEST(suite_name, case_name, ...) \
    TUTTI_PLAIN_TEST(suite_name, case_name, (::tutti::harness::CaseOptions{__VA_ARGS__}))
#define TEST_DEATH(suite_name, case_name, text, ...) \
    TUTTI_PLAIN_TEST(suite_name, case_name,          \
                     (::tutti::harness::with_death(::tutti::harness::CaseOptions{__VA_ARGS__}, text)))
#define TEST_ALL_CPUS(suite_name, case_name, ...)  \
    TUTTI_CPU_TEST(suite_name, case_name,          \
                   (::tutti::harness::with_cpus(::tutti::harness::CaseOptions{__VA_ARGS__}, ::tutti::harness::On::AllCpus)))
#define TEST_EACH_CPU(suite_name, case_name, ...)  \
    TUTTI_CPU_TEST(suite_name, case_name,          \
                   (::tutti::harness::with_cpus(::tutti::harness::CaseOptions{__VA_ARGS__}, ::tutti::harness::On::EachCpu)))

// With .on = harness::On::AllCpus or EachCpu, `cpu` and `cpus` say where the body runs.
#define TEST_P(suite_name, case_name, parameters, ...)                                                                \
    static constexpr auto tutti_values_##suite_name##_##case_name = [] {                                              \
        using ::tutti::harness::values;                                                                               \
        return parameters;                                                                                            \
    }();                                                                                                              \
    using tutti_parameter_##suite_name##_##case_name =                                                                \
        std::remove_cvref_t<decltype(tutti_values_##suite_name##_##case_name[0])>;                                    \
    NOINLINE static void tutti_test_##suite_name##_##case_name(tutti_parameter_##suite_name##_##case_name const&, ::tutti::CpuId, \
                                                      ::tutti::u32);                                                  \
    TUTTI_TEST_CASE(                                                                                                  \
        suite_name, case_name,                                                                                        \
        [](::tutti::harness::Instance const& here) {                                                                  \
            tutti_test_##suite_name##_##case_name(tutti_values_##suite_name##_##case_name[here.variant], here.cpu,    \
                                                  here.cpus);                                                         \
        },                                                                                                            \
        (::tutti::harness::CaseOptions{__VA_ARGS__}), std::size(tutti_values_##suite_name##_##case_name),             \
        [](std::span<char> buffer, ::tutti::u32 variant) {                                                            \
            return ::tutti::harness::detail::describe_value(                                                          \
                buffer, tutti_values_##suite_name##_##case_name[variant], variant);                                   \
        });                                                                                                           \
    static void tutti_test_##suite_name##_##case_name(                                                                \
        [[maybe_unused]] tutti_parameter_##suite_name##_##case_name const& parameter,                                 \
        [[maybe_unused]] ::tutti::CpuId cpu, [[maybe_unused]] ::tutti::u32 cpus)

#define TEST_TYPES(suite_name, case_name, type_list, ...)                                                              \
    template <class Type>                                                                                              \
    NOINLINE static void tutti_test_##suite_name##_##case_name(::tutti::CpuId, ::tutti::u32);                                 \
    TUTTI_TEST_CASE(                                                                                                   \
        suite_name, case_name,                                                                                         \
        [](::tutti::harness::Instance const& here) {                                                                   \
            type_list::visit(here.variant,                                                                             \
                             [&]<class T> { tutti_test_##suite_name##_##case_name<T>(here.cpu, here.cpus); });         \
        },                                                                                                             \
        (::tutti::harness::CaseOptions{__VA_ARGS__}), type_list::kCount, type_list::describe);                         \
    template <class Type>                                                                                              \
    static void tutti_test_##suite_name##_##case_name([[maybe_unused]] ::tutti::CpuId cpu,                             \
                                                      [[maybe_unused]] ::tutti::u32 cpus)

#define TEST_F(fixture, case_name, ...)                                                                                \
    namespace {                                                                                                        \
    struct tutti_fixture_##fixture##_##case_name : fixture {                                                           \
        void tutti_body();                                                                                             \
    };                                                                                                                 \
    }                                                                                                                  \
    TUTTI_TEST_CASE(                                                                                                   \
        fixture, case_name,                                                                                            \
        [](::tutti::harness::Instance const&) {                                                                        \
            ::tutti::harness::detail::run_fixture<tutti_fixture_##fixture##_##case_name>();                            \
        },                                                                                                             \
        (::tutti::harness::CaseOptions{__VA_ARGS__}));                                                                 \
    void tutti_fixture_##fixture##_##case_name::tutti_body()

#define EXPECT(condition) \
    ((condition) ? true : (::tutti::harness::report_failure(TUTTI_FILE_NAME, __LINE__, #condition), false))
#define EXPECT_EQ(a, b) (::tutti::harness::detail::check_equal((a), (b), #a " == " #b, TUTTI_FILE_NAME, __LINE__))
#define EXPECT_ERROR(result, wanted)                                                                      \
    do {                                                                                                  \
        auto const& tutti_result = (result);                                                              \
        if (tutti_result.has_value())                                                                     \
            ::tutti::harness::report_failure(TUTTI_FILE_NAME, __LINE__, #result " succeeded, not " #wanted); \
        else                                                                                              \
            EXPECT_EQ(tutti_result.error(), wanted);                                                      \
    } while (false)
// EXPECT_DEATH("text", [&] { ... }): the function must panic with `text` in the message.
#define EXPECT_DEATH(text, ...) \
    (::tutti::harness::detail::expect_death_of((__VA_ARGS__), (text), TUTTI_FILE_NAME, __LINE__))
#define REQUIRE(condition)           \
    do {                             \
        if (!EXPECT(condition)) return; \
    } while (false)
#define REQUIRE_EQ(a, b)             \
    do {                             \
        if (!EXPECT_EQ(a, b)) return; \
    } while (false)
#define SKIP(reason)                       \
    do {                                   \
        ::tutti::harness::skip(reason);    \
        return;                            \
    } while (false)
