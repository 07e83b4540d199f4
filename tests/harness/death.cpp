// SPDX-License-Identifier: BSD-3-Clause
#include "harness/death.hpp"

#include "arch/cpu.hpp"
#include "arch/memory_layout.hpp"
#include "base/assert.hpp"
#include "base/string.hpp"
#include "harness/test.hpp"
#include "sched/thread.hpp"
#include "smp/context/context.hpp"
#include "smp/spin/lock_debug.hpp"

namespace tutti::harness {
namespace {

struct Expectation {
    void (*body)(void* argument);
    void* argument;
    sched::Thread* victim = nullptr;  // written before the thread starts
    bool died = false;                // these three: written by the victim, read after it was joined
    FixedString<240> message{};
    FixedString<80> place{};
};

// Set while the victim of an expectation may run.
constinit std::atomic<Expectation*> g_expectation{nullptr};
constinit PanicHandler g_next_handler = nullptr;

// A panic may come from the stack of an exception or of another context, which cannot be left for good.
bool is_on_own_stack(sched::Thread const& thread) {
    auto const top = reinterpret_cast<uptr>(thread.kernel_stack_top());
    auto const here = reinterpret_cast<uptr>(__builtin_frame_address(0));
    return here < top && top - here < arch::kKernelStackSize;
}

void intercept_panic(std::string_view message, char const* file, int line) {
    arch::disable_interrupts();
    // acquire: pairs with the release in expect_death(). Only the victim itself finds itself.
    Expectation* const expected = g_expectation.load(std::memory_order_acquire);
    sched::Thread* const self = sched::current_or_null();
    // An exception (it names no place) is a crash and no check that caught something.
    if (expected == nullptr || self != expected->victim || file == nullptr || !is_on_own_stack(*self))
        return g_next_handler(message, file, line);
    char place[80];
    expected->message.assign(message);
    expected->place.assign(format_to(place, "{}:{}", file, line));
    expected->died = true;
    g_expectation.store(nullptr, std::memory_order_relaxed);
    smp::forget_held_spin_locks();
    sched::forget_held_locks();
    smp::abandon_rungs();
    arch::enable_interrupts();
    smp::preempt_check();
    sched::exit_current();
}

}  // namespace

void death_init() { g_next_handler = set_panic_handler(intercept_panic); }

bool expect_death(void (*body)(void* argument), void* argument, std::string_view text, char const* file, int line) {
    ISR_NOTE("thread-main", "body");
    Expectation expectation{.body = body, .argument = argument};
    auto thread = sched::Thread::create(
        {.name = "victim", .affinity = &sched::current().affinity()},
        [](void* self) {
            auto const& own = *static_cast<Expectation*>(self);
            own.body(own.argument);
            // It lives on: no later panic of this thread (there is none) or message is expected.
            g_expectation.store(nullptr, std::memory_order_relaxed);
        },
        &expectation);
    CHECK(thread, "no memory for a test's thread");
    expectation.victim = &**thread;
    Expectation* none = nullptr;
    // release: the victim's panic finds a complete expectation.
    CHECK(g_expectation.compare_exchange_strong(none, &expectation, std::memory_order_release, std::memory_order_relaxed),
          "two expected deaths at once");
    (*thread)->start();
    // A victim that hangs runs into the limit of its case.
    (void)(*thread)->join();
    char report[300];
    if (!expectation.died) {
        report_failure(file, line, format_to(report, "went on, and should have died of '{}'", text));
        return false;
    }
    (void)thread->leak();  // its stack may still be referred to
    if (expectation.message.view().find(text) == std::string_view::npos) {
        report_failure(file, line, format_to(report, "died of '{}' ({}), not of '{}'", expectation.message.view(),
                                             expectation.place.view(), text));
        return false;
    }
    note("died as expected: {} ({})", expectation.message.view(), expectation.place.view());
    return true;
}

}  // namespace tutti::harness
