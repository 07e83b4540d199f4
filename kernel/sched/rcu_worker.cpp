// SPDX-License-Identifier: BSD-3-Clause
#include "sched/rcu_worker.hpp"

#include "sched/thread.hpp"
#include "sched/timers/sleep.hpp"
#include "smp/rcu/rcu.hpp"

namespace tutti::sched {

namespace {
// `created` is the boot CPU's until the CPU itself comes up.
struct Worker {
    Thread* created = nullptr;
    Thread* running = nullptr;
};
PERCPU_SECTION constinit smp::PerCpu<Worker> g_worker;
}  // namespace

void RcuWorker::run(void* argument) {
    CpuId const cpu{static_cast<u32>(reinterpret_cast<u64>(argument))};
    while (true) {
        (void)park_until([cpu] { return smp::rcu::has_callbacks(cpu); });
        smp::rcu::run_callbacks(cpu);
    }
}

Result<> RcuWorker::create(CpuId cpu) {
    smp::CpuSet only = TRY(smp::CpuSet::create(smp::cpu_count()));
    only.add(cpu);
    char name[Thread::kMaxName];
    ThreadOptions const options{.name = format_to(name, "rcu/{}", cpu), .affinity = &only};
    Ref<Thread> thread = TRY(Thread::create_unchecked(options, &run, reinterpret_cast<void*>(u64{cpu.value()})));
    g_worker.on(cpu).created = thread.leak();  // for ever
    return {};
}

void RcuWorker::start() {
    smp::PreemptGuard const here;
    static constinit smp::rcu::ThreadHooks const hooks{
        .sleep = [](Nanoseconds duration) { (void)sleep_for(duration); },
        .wake_worker = &wake,
    };
    Worker& worker = g_worker.local(here);
    worker.created->start();
    // An interrupt in between that defers finds nobody to wake, and the worker has not looked yet.
    worker.running = worker.created;
    smp::rcu::set_thread_hooks(hooks);
}

// On the CPU itself, interrupts off. A CPU that has not started its worker has nobody to wake: the worker looks first.
ISR_SAFE void RcuWorker::wake(CpuId cpu) {
    smp::WakePath const path;
    if (Thread* const thread = g_worker.on(cpu).running) thread->unpark();
}

}  // namespace tutti::sched
