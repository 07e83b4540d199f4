// SPDX-License-Identifier: BSD-3-Clause
// What a program under the checker writes: a body that sets up, runs functions on simulated CPUs and checks the end.
//
//   INTERLEAVE(ticket_two_cpus, {.preemptions = 3}) {
//       RawTicketLock lock;
//       int counter = 0;
//       auto const add = [&] { lock.lock(); ++counter; lock.unlock(); };
//       run_on_cpus(add, add);
//       REQUIRE(counter == 2);
//   }
//
// The body runs once for each schedule, as CPU 0 with nobody else there until run_on_cpus(). Everything that it touches
// must be its own, or a global of the program: those are put back before each schedule.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace tutti::interleave {

struct Bounds {
    unsigned preemptions = 2;     // forced switches in one schedule; switches at waits are free
    unsigned steps = 3000;        // operations in one schedule; more is reported as a livelock
    bool spins_expire = false;    // loops with arch::pause() may also give up (bounded spins)
    unsigned cpus = 0;            // that the machine has; 0: as many as run_on_cpus() uses, two at least
    unsigned samples = 0;         // not 0: too large to exhaust, so many random schedules instead
    char const* must_fail = nullptr;  // a test of the checker: it has to report a failure of this kind
    unsigned outcomes[16] = {};   // litmus: exactly these (none is 0), each at least once
};

struct Program {
    char const* name;
    void (*body)();
    Bounds bounds;
    Program* next;

    Program(char const* name, void (*body)(), Bounds bounds);
};

#define INTERLEAVE(name, ...)                                                                           \
    static void interleave_body_##name();                                                               \
    static ::tutti::interleave::Program interleave_program_##name{#name, interleave_body_##name,        \
                                                                  ::tutti::interleave::Bounds __VA_ARGS__}; \
    static void interleave_body_##name()

// --- running ------------------------------------------------------------------------------------------------------
struct Task {
    void (*function)(void* argument);
    void* argument;
};
void run_tasks(Task const* tasks, unsigned count);
// Each function on a CPU of its own, from 0; returns when all have returned.
template <class... Functions>
void run_on_cpus(Functions&... functions) {
    Task const tasks[] = {
        {[](void* argument) { (*static_cast<Functions*>(argument))(); }, const_cast<void*>(static_cast<void const*>(&functions))}...};
    run_tasks(tasks, sizeof...(Functions));
}

[[noreturn]] void fail(char const* kind, char const* format, ...) __attribute__((format(printf, 2, 3)));
#define REQUIRE(condition)                                                                                     \
    do {                                                                                                       \
        if (!(condition)) ::tutti::interleave::fail("requirement", "%s:%d: %s", __FILE_NAME__, __LINE__, #condition); \
    } while (false)

// Heap blocks that are allocated and not freed.
[[nodiscard]] unsigned live_blocks();

// Litmus tests: what this execution came to.
void outcome(unsigned value);
// One of 0..options-1, every one in some schedule.
[[nodiscard]] unsigned choose(unsigned options);

// --- the simulated machine, for machine/ ---------------------------------------------------------------------------
[[nodiscard]] unsigned cpu_count();
[[nodiscard]] unsigned this_cpu();
[[nodiscard]] void* percpu_area(unsigned cpu);
// A loop goes round without having got further: this CPU waits until another has changed what it read.
void pause();
[[nodiscard]] bool interrupts_enabled();
void set_interrupts(bool enabled);
// `handler` becomes pending on `cpu`: once, however often it is raised before it runs. It runs there with interrupts off,
// when they are on, at any moment that another CPU could notice. All before raise() is visible to it.
void raise_interrupt(unsigned cpu, void (*handler)());
// What runs each handler (counts the rung, and so on). It may go on with another stack, and come back on another CPU.
void set_interrupt_wrapper(void (*wrapper)(void (*handler)()));
// Interrupts on; waits for one, which runs; interrupts off.
void halt_until_interrupt();
// This CPU stops until somebody has called wake() for it; a wake() that came first counts. Orders no memory.
void sleep();
void wake(unsigned cpu);
// This CPU's function ends here.
[[noreturn]] void end_cpu();
// The program ends here, whatever the other CPUs wait for; nothing comes after its run_on_cpus().
[[noreturn]] void end_program();
// Nanoseconds; goes on by `step` at each look of this CPU.
[[nodiscard]] std::uint64_t now();
void set_time_step(std::uint64_t step);
// This CPU's clock, forward.
void set_clock(std::uint64_t time);

// An access to a per-CPU variable by one instruction: interrupts may come before and after.
void interrupt_point();

}  // namespace tutti::interleave
