// SPDX-License-Identifier: BSD-3-Clause
// Functions run on other CPUs: both sides see what the other wrote, two that call each other both finish.
#include "smp/ipi/call.hpp"

#include "engine/interleave.hpp"
#include "hal/interrupts.hpp"
#include "smp/spin/lock_debug.hpp"

namespace tutti {

namespace hal {
namespace {
constinit IpiHandler g_call_handler = nullptr;
}
void set_ipi_handler(IpiKind, IpiHandler handler) { g_call_handler = handler; }
void send_ipi(CpuId target, IpiKind) {
    interleave::raise_interrupt(target.value(), [] { g_call_handler(IpiKind::Call); });
}
}  // namespace hal

namespace smp {
void check_may_wait_for_cpus() {}  // of lock_debug.cpp
}  // namespace smp

namespace interleave {

namespace {
void start_calls(unsigned cpus) {
    set_interrupt_wrapper([](void (*handler)()) {
        smp::IsrEntry const isr;
        handler();
    });
    REQUIRE(smp::calls_init().has_value());
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
        *arch::percpu_address_in(percpu_area(cpu), smp::detail::preempt_state) = smp::detail::kNoRescheduleWanted;
        smp::set_online(CpuId{cpu});
    }
}
void increment(void* value) { ++*static_cast<int*>(value); }
}  // namespace

INTERLEAVE(call_and_wait, {.preemptions = 3}) {
    start_calls(2);
    int value = 0;
    auto const caller = [&] {
        for (int i = 1; i <= 2; ++i) {
            ++value;
            smp::call_on(CpuId{1}, increment, &value);
            REQUIRE(value == 2 * i);
        }
    };
    auto const target = [] {};
    run_on_cpus(caller, target);
}
// Without waiting: the slot is used again only when the target has done with it.
INTERLEAVE(call_without_waiting, {.preemptions = 3}) {
    start_calls(2);
    int first = 0, second = 0;
    auto const caller = [&] {
        smp::call_on(CpuId{1}, increment, &first, smp::Wait::No);
        smp::call_on(CpuId{1}, increment, &second, smp::Wait::No);
    };
    auto const target = [] {};
    run_on_cpus(caller, target);
    REQUIRE(first == 1 && second == 1);
}
INTERLEAVE(call_each_other, {.preemptions = 2}) {
    start_calls(2);
    int values[2] = {};
    auto const one = [&] {
        smp::call_on_others(increment, &values[1]);
        REQUIRE(values[1] == 1);
    };
    auto const two = [&] {
        smp::call_on_others(increment, &values[0]);
        REQUIRE(values[0] == 1);
    };
    run_on_cpus(one, two);
}
INTERLEAVE(call_two_callers, {.preemptions = 1, .cpus = 3}) {
    start_calls(3);
    int value = 0;  // CPU 2's handlers come one after the other
    auto const call = [&] { smp::call_on(CpuId{2}, increment, &value); };
    auto const target = [] {};
    run_on_cpus(call, call, target);
    REQUIRE(value == 2);
}
// Who is in the set all the time is told, whoever comes and goes meanwhile.
INTERLEAVE(call_while_the_set_changes, {.preemptions = 2, .cpus = 3}) {
    start_calls(3);
    Result<smp::CpuSet> members = smp::CpuSet::create(3);
    REQUIRE(members.has_value());
    members->add(CpuId{2});
    std::atomic<int> told{0};
    auto const caller = [&] {
        smp::call_on_set(*members, [](void* argument) {
            if (this_cpu() == 2) static_cast<std::atomic<int>*>(argument)->fetch_add(1, std::memory_order_relaxed);
        }, &told);
        REQUIRE(told.load(std::memory_order_relaxed) == 1);
    };
    auto const comer = [&] {
        members->add(CpuId{1});
        members->remove(CpuId{1});
    };
    auto const target = [] {};
    run_on_cpus(caller, comer, target);
}
namespace {
struct Asked {
    std::atomic<int> wanted[2] = {};
    int seen[2] = {};
};
void look(void* argument) {
    auto& asked = *static_cast<Asked*>(argument);
    for (int i = 0; i < 2; ++i) asked.seen[i] = asked.wanted[i].load(std::memory_order_relaxed);
}
}  // namespace
// A request that is found busy has yet to run: it sees what was written before.
INTERLEAVE(call_request_while_busy, {.preemptions = 2, .cpus = 3}) {
    start_calls(3);
    Asked asked;
    smp::CallRequest request{look, &asked};
    auto const send = [&](int index) {
        asked.wanted[index].store(1, std::memory_order_relaxed);
        (void)request.send(CpuId{2});
    };
    auto const one = [&] { send(0); };
    auto const two = [&] { send(1); };
    auto const target = [] {};
    run_on_cpus(one, two, target);
    REQUIRE(asked.seen[0] == 1 && asked.seen[1] == 1 && !request.busy());
}
// Not busy: it may be sent anew, with other data.
INTERLEAVE(call_request_again, {.preemptions = 3}) {
    start_calls(2);
    Asked asked;
    smp::CallRequest request{look, &asked};
    auto const sender = [&] {
        for (int i = 0; i < 2; ++i) {
            asked.wanted[i].store(1, std::memory_order_relaxed);
            REQUIRE(request.send(CpuId{1}));
            while (request.busy()) arch::pause();
        }
    };
    auto const target = [] {};
    run_on_cpus(sender, target);
    REQUIRE(asked.seen[1] == 1);
}

INTERLEAVE(call_request_destroyed, {.preemptions = 3}) {
    start_calls(2);
    auto* const request = new smp::CallRequest{[](void*) {}, nullptr};
    auto const sender = [&] {
        REQUIRE(request->send(CpuId{1}));
        while (request->busy()) arch::pause();
        delete request;
    };
    auto const target = [] {};
    run_on_cpus(sender, target);
}
// Who sees a CPU online may use what it has set up.
INTERLEAVE(cpu_comes_up, {.preemptions = 3}) {
    int data = 0;
    auto const looker = [&] {
        if (smp::is_online(CpuId{1})) REQUIRE(data == 1);
    };
    auto const comer = [&] {
        data = 1;
        smp::set_online(CpuId{1});
    };
    run_on_cpus(looker, comer);
}

}  // namespace interleave
}  // namespace tutti
