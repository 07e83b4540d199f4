// SPDX-License-Identifier: BSD-3-Clause
#include "tap_parser.hpp"

#include <gtest/gtest.h>

namespace tutti::tap {
namespace {

TapParser parse(std::initializer_list<char const*> lines) {
    TapParser parser;
    for (char const* line : lines) parser.line(line);
    return parser;
}

TEST(TapParser, PassesACompleteRun) {
    auto const run = parse({"kernel: hello", "1..3", "ok 1 - a", "# note", "ok 2 - b # SKIP one CPU", "ok 3 - c"});
    EXPECT_TRUE(run.problems().empty());
    EXPECT_EQ(run.passed(), 2U);
    EXPECT_EQ(run.skipped(), 1U);
}

TEST(TapParser, AcceptsAPlanAtTheEnd) { EXPECT_TRUE(parse({"ok 1 - a", "1..1"}).problems().empty()); }

TEST(TapParser, NamesFailedTests) {
    auto const run = parse({"1..2", "ok 1 - a", "not ok 2 - mutex/timeout"});
    ASSERT_EQ(run.failed().size(), 1U);
    EXPECT_EQ(run.failed()[0], "mutex/timeout");
    EXPECT_FALSE(run.problems().empty());
}

TEST(TapParser, FindsEveryWayToFail) {
    EXPECT_FALSE(parse({}).problems().empty()) << "no output";
    EXPECT_FALSE(parse({"ok 1 - a"}).problems().empty()) << "no plan";
    EXPECT_FALSE(parse({"1..2", "ok 1 - a"}).problems().empty()) << "too few";
    EXPECT_FALSE(parse({"1..1", "ok 1 - a", "ok 2 - b"}).problems().empty()) << "too many";
    EXPECT_FALSE(parse({"1..2", "ok 1 - a", "ok 1 - a"}).problems().empty()) << "a number twice";
    EXPECT_FALSE(parse({"1..1", "1..1", "ok 1 - a"}).problems().empty()) << "two plans";
    EXPECT_FALSE(parse({"1..0"}).problems().empty()) << "nothing run";
    EXPECT_FALSE(parse({"1..1", "Bail out! no memory", "ok 1 - a"}).problems().empty()) << "bail out";
}

TEST(TapParser, IgnoresLookAlikes) {
    auto const run = parse({"okay then", "1..2 sheep", "1..x", "not okay", "1..1", "ok 1"});
    EXPECT_TRUE(run.problems().empty());
}

}  // namespace
}  // namespace tutti::tap
