// SPDX-License-Identifier: BSD-3-Clause
// Cases that a framework that works must report as failed; check_failures judges that. They run on request only.
#include "arch/cpu.hpp"
#include "base/assert.hpp"
#include "hal/power.hpp"
#include "harness/test.hpp"
#include "sched/park.hpp"
#include "smp/context/context.hpp"

namespace tutti::harness {
namespace {

// --- must_fail: the run goes on -----------------------------------------------------------------------------------

TEST(must_fail, expect, .on_request = true) { EXPECT(1 + 1 == 3); }
TEST(must_fail, expect_equal, .on_request = true) { EXPECT_EQ(1, 2); }
TEST(must_fail, expect_error, .on_request = true) { EXPECT_ERROR(Result<int>{1}, Error::NoMemory); }
TEST(must_fail, require, .on_request = true) {
    REQUIRE(1 + 1 == 3);
    panic("went on after REQUIRE");
}
TEST(must_fail, later_skip, .on_request = true) {
    EXPECT(false);
    SKIP("a skip does not make a failure good");
}
TEST_ALL_CPUS(must_fail, on_the_last_cpu, .on_request = true) { EXPECT(cpu.value() != cpus - 1); }
TEST_P(must_fail, with_parameter, values(1, 2), .on_request = true) { EXPECT(parameter == 0); }
TEST_DEATH(must_fail, lives_on, "anything", .on_request = true) {}
TEST_DEATH(must_fail, dies_of_something_else, "of this", .on_request = true) { panic("of that"); }
TEST(must_fail, lives_on_inside, .on_request = true) {
    EXPECT_DEATH("anything", [] {});
}

struct MustFailFixture {
    void set_up() { EXPECT(false); }
};
TEST_F(MustFailFixture, set_up, .on_request = true) { panic("went on after a set_up that failed"); }

// --- each of these ends the run -----------------------------------------------------------------------------------

constexpr Nanoseconds kShort = Nanoseconds::from_ms(300);

TEST(must_fail_hang, asleep, .limit = kShort, .on_request = true) { (void)sched::park_until([] { return false; }); }
TEST(must_fail_hang, spinning, .limit = kShort, .on_request = true) {
    smp::PreemptGuard const guard;
    while (true) arch::pause();
}
TEST(must_fail_hang, deaf, .limit = kShort, .on_request = true) {
    smp::IrqOffGuard const guard;
    while (true) arch::pause();
}
TEST(must_fail_crash, check, .on_request = true) { CHECK(1 + 1 == 3, "not expected"); }
TEST(must_fail_crash, exception, .on_request = true) { *reinterpret_cast<int volatile*>(8) = 1; }
// The machine ends well, but too soon.
TEST(must_fail_end, early, .on_request = true) { hal::debug_exit(0); }
TEST(must_fail_end, power_off, .on_request = true) { hal::power_off(); }
TEST(must_fail_end, reboot, .on_request = true) { hal::reboot(); }

}  // namespace
}  // namespace tutti::harness
