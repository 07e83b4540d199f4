// SPDX-License-Identifier: BSD-3-Clause
// The life of threads from the scheduler's side, and its start on each CPU.
#include "sched/scheduler.hpp"

#include "arch/context_switch.hpp"
#include "hal/clock.hpp"
#include "hal/console.hpp"
#include "hal/hooks.hpp"
#include "hal/interrupts.hpp"
#include "sched/dispatch.hpp"
#include "sched/placement.hpp"
#include "sched/rcu_worker.hpp"
#include "sched/timers/timer_queue.hpp"
#include "smp/rcu/rcu.hpp"

namespace tutti::sched {

void Scheduler::thread_main(void* argument) {
    finish_switch(smp::AssumeIrqOff{});
    Thread& self = *static_cast<Thread*>(argument);
    // The notice that started the thread.
    self.wake_state_.exchange(Thread::WakeState::Running, std::memory_order_acquire);
    smp::preempt_enable_no_switch();
    arch::enable_interrupts();
    smp::preempt_check();
    self.entry_(self.argument_);
    end_current();
}

void Scheduler::idle_main(void*) {
    finish_switch(smp::AssumeIrqOff{});
    arch::enable_interrupts();
    idle_loop();
}

void Scheduler::end_current() {
    Thread& self = current();
    check_no_locks_held("at its thread's end");
    self.ended_.store(true, std::memory_order_release);  // pairs with the acquire in has_ended()
    self.end_queue_.wake_all();
    reclaim_dead();
    arch::disable_interrupts();
    smp::preempt_disable();
    smp::AssumeIrqOff const here;
    local_run_queue(here).ended = &self;
    switch_away(Leave::End, here);
    panic("thread '{}' runs after its end", self.name());
}

void Scheduler::destroy(Thread* thread) {
    thread->~Thread();
    ::operator delete(static_cast<void*>(thread), std::align_val_t{alignof(Thread)});
}

void Scheduler::reclaim_dead() {
    Thread* thread = run_queue(smp::this_cpu_unstable()).dead.take_all();
    while (thread != nullptr) {
        Thread* const next = RunQueue::Inbox::next(*thread);
        destroy(thread);
        thread = next;
    }
}

Result<Thread*> Scheduler::create_idle(CpuId cpu, bool own_stack) {
    Thread* const thread = new (std::nothrow) Thread(TRY(smp::CpuSet::create_all(smp::cpu_count())));
    if (thread == nullptr) return fail(Error::NoMemory);
    thread->is_idle_ = true;
    char name[Thread::kMaxName];
    thread->set_name(format_to(name, "idle/{}", cpu));
    thread->cpu_.store(cpu.value(), std::memory_order_relaxed);
    thread->wake_state_.store(Thread::WakeState::Running, std::memory_order_relaxed);
    if (own_stack) {
        thread->stack_ = TRY(mem::KernelStack::create());
        thread->stack_top_ = thread->stack_.top();
        thread->saved_stack_ = arch::prepare_stack(thread->stack_top_, &idle_main, thread);
    }
    return thread;
}

Result<Thread*> Scheduler::create_main(CpuId cpu) {
    Thread* const thread = new (std::nothrow) Thread(TRY(smp::CpuSet::create_all(smp::cpu_count())));
    if (thread == nullptr) return fail(Error::NoMemory);
    thread->set_name("main");
    thread->cpu_.store(cpu.value(), std::memory_order_relaxed);
    thread->home = cpu.value();
    thread->wake_state_.store(Thread::WakeState::Running, std::memory_order_relaxed);
    return thread;
}

void Scheduler::take_over_cpu(CpuId cpu, Thread& running, Thread& idle) {
    RunQueue& queue = run_queue(cpu);
    Nanoseconds const now = hal::now();
    queue.cpu = cpu;
    queue.idle = &idle;
    queue.current = &running;
    queue.clock = now;
    queue.up_since.store(now.count(), std::memory_order_relaxed);
    if (running.is_idle_) queue.idle_since.store(now.count(), std::memory_order_relaxed);
    queue.current_hint.store(&running, std::memory_order_relaxed);
    running.on_cpu_.store(true, std::memory_order_relaxed);
    set_current(running);
    smp::rcu::leave_idle(smp::AssumeIrqOff{});
    smp::set_online(cpu);
}

Result<> init() {
    smp::AssumeIrqOff const here;
    CpuId const self = smp::this_cpu(here);
    TRY(placement_init());
    Thread* const main = TRY(Scheduler::create_main(self));
    for (u32 i = 0; i < smp::cpu_count(); ++i) {
        CpuId const cpu{i};
        run_queue(cpu).cpu = cpu;
        // A secondary CPU idles on the stack that it boots on.
        run_queue(cpu).idle = TRY(Scheduler::create_idle(cpu, cpu == self));
        TRY(RcuWorker::create(cpu));
    }
    hal::set_ipi_handler(hal::IpiKind::Reschedule, &Scheduler::reschedule_interrupt);
    hal::set_timer_handler(&Scheduler::timer_interrupt);
    hal::hooks.irq_exit_to_kernel = &Scheduler::irq_exit_to_kernel;
    hal::hooks.exit_to_user = &Scheduler::exit_to_user;
    hal::hooks.describe_context = []() ISR_SAFE_LAMBDA {
        char line[64];
        Thread const* const thread = current_or_null();
        if (thread != nullptr)
            hal::early_console_write(format_to(line, "thread {} '{}'", thread->id(), thread->name()));
        else
            hal::early_console_write("no thread");
    };
    smp::set_preempt_handler(&Scheduler::preempt);
    Scheduler::take_over_cpu(self, *main, *run_queue(self).idle);
    smp::preempt_enable_no_switch();  // the count that the CPU started with
    arch::enable_interrupts();
    RcuWorker::start();
    return {};
}

void enter_secondary() {
    smp::AssumeIrqOff const here;
    CpuId const self = smp::this_cpu(here);
    Thread& idle = *run_queue(self).idle;
    Scheduler::take_over_cpu(self, idle, idle);
    arch::enable_interrupts();
    RcuWorker::start();
    Scheduler::idle_loop();
}

CpuTimes cpu_times(CpuId cpu) {
    RunQueue const& queue = run_queue(cpu);
    i64 const up_since = queue.up_since.load(std::memory_order_relaxed);
    if (up_since == 0) return {};
    // Read one after the other, not as one: good enough for statistics.
    i64 idle = queue.idle_time.load(std::memory_order_relaxed);
    i64 const since = queue.idle_since.load(std::memory_order_relaxed);
    i64 const now = hal::now().count();
    if (since != 0 && now > since) idle += now - since;
    i64 const up = now - up_since;
    if (idle > up) idle = up;
    return {.busy = Nanoseconds{up - idle}, .idle = Nanoseconds{idle}};
}

CpuCounters cpu_counters(CpuId cpu) {
    RunQueue const& queue = run_queue(cpu);
    return {.switches = queue.switches,
            .remote_wakes = queue.remote_wakes,
            .wake_interrupts = queue.wake_interrupts,
            .steals = queue.steals,
            .pushes = queue.pushes};
}

ISR_SAFE u32 runnable_count(CpuId cpu) { return run_queue(cpu).load.load(std::memory_order_relaxed); }

}  // namespace tutti::sched
