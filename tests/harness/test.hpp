// SPDX-License-Identifier: BSD-3-Clause
// The in-kernel unit-test framework: suites and cases, run by the test image's init, reported as TAP version 13.
//
//   TEST(frame_allocator, returns_what_it_took) { EXPECT_EQ(before, after); }      one thread
//   TEST_ALL_CPUS(wait_queue, wakes_everybody) { ... cpu, cpus ... }               the body runs on every CPU at once
//
// EXPECT* records a failure and goes on; REQUIRE* ends the case. A case that does not end within its time limit ends the
// run with a report of every CPU's stack. random() is seeded from the run's seed (kernel command line seed=N) and the
// case's name; the seed of every case that used it is printed, so that it can be replayed.
#pragma once

#include <atomic>
#include <concepts>
#include <string_view>

#include "base/format.hpp"
#include "base/random.hpp"
#include "base/result.hpp"

namespace tutti::harness {

struct TestCase {
    char const* suite;
    char const* name;
    char const* file;
    int line;
    void (*run)();
    void (*run_on_cpu)(CpuId cpu, u32 cpus);  // instead of run: on every CPU, in pinned threads
};

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

// All threads of a TEST_ALL_CPUS body meet here; usable any number of times.
void meet();

// Ends the machine with the result. Runs cases whose "suite.name" matches `filter` (a glob with *; empty: all).
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

}  // namespace detail
}  // namespace tutti::harness

#define TUTTI_TEST_CASE(suite_name, case_name, single, multiple)                                     \
    [[gnu::section(".tutti_tests"), gnu::used, gnu::retain]] static constexpr ::tutti::harness::TestCase \
        tutti_case_##suite_name##_##case_name{#suite_name, #case_name, TUTTI_FILE_NAME, __LINE__, single, multiple}

#define TEST(suite_name, case_name)                                       \
    static void tutti_test_##suite_name##_##case_name();                  \
    TUTTI_TEST_CASE(suite_name, case_name, &tutti_test_##suite_name##_##case_name, nullptr); \
    static void tutti_test_##suite_name##_##case_name()

#define TEST_ALL_CPUS(suite_name, case_name)                              \
    static void tutti_test_##suite_name##_##case_name(::tutti::CpuId, ::tutti::u32); \
    TUTTI_TEST_CASE(suite_name, case_name, nullptr, &tutti_test_##suite_name##_##case_name); \
    static void tutti_test_##suite_name##_##case_name([[maybe_unused]] ::tutti::CpuId cpu, [[maybe_unused]] ::tutti::u32 cpus)

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
#define REQUIRE(condition)           \
    do {                             \
        if (!EXPECT(condition)) return; \
    } while (false)
#define REQUIRE_EQ(a, b)             \
    do {                             \
        if (!EXPECT_EQ(a, b)) return; \
    } while (false)
