// SPDX-License-Identifier: BSD-3-Clause
// The scheduler's inside: switching, placing, idling. For the files of this folder only.
#pragma once

#include "hal/interrupts.hpp"
#include "sched/run_queue/run_queue.hpp"
#include "sched/thread.hpp"

namespace tutti::sched {

// Why the current thread leaves its CPU.
enum class Leave : u8 {
    Preempted,  // still runnable, keeps its place
    Yield,      // still runnable, goes behind the others
    Park,       // has declared itself Parked
    End,        // for ever
};

class Scheduler {
  public:
    // Runs the next thread; returns when the caller is picked again. Interrupts off, preemption count exactly one, no
    // spin lock held.
    static void switch_away(Leave leave, smp::IrqOff const& here);
    // On the new stack: lets go of the thread that ran before.
    static void finish_switch(smp::IrqOff const& here);
    // Parks the current thread until it has a notice, and consumes that. Thread context.
    static void park(Thread& self) EXCLUDES(smp::wake_path);
    // Finds a CPU for a thread that has become runnable and that the caller alone may place. Up to Isr context.
    static void place(Thread& thread) REQUIRES(smp::wake_path);
    // Hands `thread` to `target`, another CPU, and sees to it that it notices.
    static void hand_over(Thread& thread, CpuId target, RunQueue& own);
    // Makes `target`, another CPU, look at its inbox and flags.
    static bool notify(CpuId target);
    // This CPU switches as soon as that is allowed. Interrupts off.
    static void request_reschedule();
    // The current thread has something to do before it returns to user mode. Interrupts off or on.
    static void note_return_work();
    static void set_current(Thread& thread);
    // Takes a waiting thread from another CPU into this CPU's queue. Interrupts off.
    static bool steal(smp::IrqOff const& here);

    static void change_policy(Thread& thread, Policy policy);
    static void change_affinity(Thread& thread, smp::CpuSet const& cpus);
    static void copy_affinity(Thread const& thread, smp::CpuSet& to);

    // Hooks and handlers.
    static void preempt();
    static void irq_exit_to_kernel();
    static void run_return_work(Thread& self, arch::TrapFrame& frame);
    static void exit_to_user(arch::TrapFrame& frame);
    static void reschedule_interrupt(hal::IpiKind);
    static void timer_interrupt();

    // Threads.
    static Result<Thread*> create_idle(CpuId cpu, bool own_stack);
    static Result<Thread*> create_main(CpuId cpu);
    static void take_over_cpu(CpuId cpu, Thread& running, Thread& idle);
    [[noreturn]] static void end_current() EXCLUDES(smp::wake_path);
    static void destroy(Thread* thread);
    // Frees threads whose last reference was dropped on this CPU where that was not possible.
    static void reclaim_dead();

    [[noreturn]] static void idle_loop();

    static void thread_main(void* argument);

  private:
    static void idle_main(void* argument);
    static void load_user_state(RunQueue& queue, Thread& next);
    static void push_to_lighter_cpu(RunQueue& queue, Nanoseconds now, smp::IrqOff const& here);
};

}  // namespace tutti::sched
