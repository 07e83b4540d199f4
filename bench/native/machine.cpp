// SPDX-License-Identifier: BSD-3-Clause
// Our side: the kernel's core in this process (platform/linuxu), with a kernel thread on each CPU that does jobs.
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "arch/host_call.hpp"
#include "base/assert.hpp"
#include "crew.hpp"
#include "hal/entry.hpp"
#include "hal/power.hpp"
#include "init/core.hpp"
#include "platform/linuxu/boot.hpp"
#include "sched/thread.hpp"
#include "sched/timers/sleep.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::bench {

Crew our_crew;

namespace {

// This CPU's host thread stays on one processor.
void pin_host_thread(u32 processor) {
    u64 const mask[16] = {u64{1} << processor};
    (void)arch::host_call(SYS_sched_setaffinity, 0, sizeof mask, arch::host_argument(mask));
}
// As peers' threads (main.cpp): refused to ordinary users, and then it goes without.
void set_realtime(bool realtime) {
    sched_param const parameters{.sched_priority = realtime ? 1 : 0};
    (void)arch::host_call(SYS_sched_setscheduler, 0, realtime ? SCHED_FIFO : SCHED_OTHER,
                          arch::host_argument(&parameters));
}
i64 disturbances() {
    rusage usage{};
    (void)arch::host_call(SYS_getrusage, static_cast<u64>(RUSAGE_THREAD), arch::host_argument(&usage));
    return usage.ru_nivcsw;
}

void member(void* argument) {
    auto const index = static_cast<unsigned>(reinterpret_cast<u64>(argument));
    pin_host_thread(index);
    for (unsigned done = 0;;) {
        unsigned const ticket = our_crew.ticket.load(std::memory_order_acquire);
        if (ticket == done) {
            (void)sched::sleep_for(Nanoseconds::from_us(500));
            continue;
        }
        done = ticket;
        if (index >= (ticket & kThreads)) continue;
        set_realtime(true);
        do_job(our_crew, index, disturbances);
        set_realtime(false);
    }
}

}  // namespace

void run_machine(unsigned cpus) {
    platform::boot({.cpus = cpus, .memory = u64{256} << 20, .kernel_arguments = {}});
}

}  // namespace tutti::bench

void tutti::hal::kernel_main() {
    using namespace tutti::init;
    CommandLine const command_line = read_command_line();
    start_memory(command_line);
    start_smp_core();
    // One host processor for each CPU: as on bare metal.
    smp::set_spin_waiters_compete(false);
    start_threads();
    start_other_cpus();
    wait_for_all_cpus();
    for (u32 i = 0; i < smp::cpu_count(); ++i) {
        Result<smp::CpuSet> set = smp::CpuSet::create(smp::cpu_count());
        CHECK(set);
        set->add(CpuId{i});
        auto thread = sched::Thread::create({.name = "member", .affinity = &*set}, bench::member,
                                            reinterpret_cast<void*>(u64{i}));
        CHECK(thread, "no memory for a thread");
        (*thread)->start();
    }
    while (true) (void)sched::sleep_for(Nanoseconds::from_s(3600));
}
