// SPDX-License-Identifier: BSD-3-Clause
// Switching threads and placing woken ones. Memory orders and the hand-over of stacks: thread.hpp, run_queue.hpp.
#include "sched/dispatch.hpp"

#include "arch/context_switch.hpp"
#include "arch/traps.hpp"
#include "hal/clock.hpp"
#include "hal/interrupts.hpp"
#include "sched/placement.hpp"
#include "sched/timers/timer_queue.hpp"
#include "smp/debug/race_point.hpp"
#include "smp/rcu/rcu.hpp"

namespace tutti::sched {

namespace {

// Bits of exit_work.
constexpr u32 kRescheduleWork = 1;
constexpr u32 kThreadWork = 2;

// Of all threads: held while a set is changed or copied.
constinit smp::SpinLock affinity_lock{smp::LockRank::ThreadTable, "affinity changes"};

// Interrupts off.
ISR_SAFE void set_exit_work(u32 bits) { arch::percpu_store(exit_work, arch::percpu_load(exit_work) | bits); }

}  // namespace

namespace detail {
PERCPU_SECTION constinit smp::PerCpu<Thread*> current_thread;
}

ISR_SAFE void Scheduler::set_current(Thread& thread) { detail::current_thread.store(&thread); }

ISR_SAFE void Scheduler::note_return_work() {
    smp::IrqOffGuard const here;
    set_exit_work(kThreadWork);
}

ISR_SAFE void Scheduler::request_reschedule() {
    smp::want_reschedule();
    set_exit_work(kRescheduleWork);
}

ISR_SAFE void Scheduler::load_user_state(RunQueue& queue, Thread& next) {
    arch::set_kernel_stack(next.stack_top_);
    if (next.hooks_->switch_in == nullptr) return;
    bool const still_there = queue.resident == &next && next.resident_cpu_ == queue.cpu.value();
    queue.resident = &next;
    next.resident_cpu_ = queue.cpu.value();
    next.hooks_->switch_in(next, still_there ? Residence::StillThere : Residence::Gone);
}

ISR_SAFE void Scheduler::switch_away(Leave leave, smp::IrqOff const& here) {
    ISR_NOTE("switches-threads", "the running thread leaves the CPU with interrupts off");
    if constexpr (kDebugBuild) smp::check_no_spin_locks_held("at a switch");
    ASSERT(smp::preempt_depth() == 1 && !smp::in_isr(), "switch on the wrong rung");
    smp::rcu::note_quiescent(here);
    RunQueue& queue = local_run_queue(here);
    Thread& previous = *queue.current;
    Thread* misplaced = nullptr;
    queue.lock.lock(here);
    Nanoseconds const now = hal::sched_clock();  // behind the lock: what others have been told is charged (cpu_time)
    queue.account(now);
    smp::reschedule_done();
    // A parked thread has written it before it said so: wakers may be reading it.
    if (leave != Leave::Park) previous.pin_depth_ = arch::percpu_load(smp::detail::pin_depth);
    queue.drain_inbox();
    if (queue.watched != nullptr && (previous.is_idle_ || queue.has_queued()))
        if (Thread* const notified = queue.take_watched()) queue.enqueue(*notified);
    bool stays = !previous.is_idle_ && (leave == Leave::Preempted || leave == Leave::Yield);
    if (stays && !RunQueue::may_run_on(previous, queue.cpu)) {
        queue.to_place = &previous;
        stays = false;
    }
    Thread* next = stays ? queue.take_next_or(previous, leave == Leave::Yield) : queue.take_next();
    // The affinity of a queued thread may have changed on the way here.
    while (next != nullptr && next != &previous && !RunQueue::may_run_on(*next, queue.cpu)) {
        next->wake_node_.next = misplaced;
        misplaced = next;
        next = queue.take_next();
    }
    if (next == nullptr) next = queue.idle;
    queue.current = next;
    queue.slice_start = now;
    Deadline const slice_end = queue.has_queued() && !next->is_idle_ ? queue.slice_end() : kNever;
    queue.publish_load();
    if (next != &previous) {
        // relaxed: others look at it only for queued threads, under this lock, or after they saw the thread parked.
        next->on_cpu_.store(true, std::memory_order_relaxed);
        queue.idle_since.store(next->is_idle_ ? now.count() : 0, std::memory_order_relaxed);
        queue.current_hint.store(next, std::memory_order_relaxed);
    }
    queue.lock.unlock();

    detail::current_thread.store(next);
    // seq_cst: after next->cpu_ was written; see set_return_work().
    arch::percpu_store(exit_work, next->return_work_.load(std::memory_order_seq_cst) ? kThreadWork : u32{0});
    while (misplaced != nullptr) {
        Thread* const thread = misplaced;
        misplaced = RunQueue::Inbox::next(*thread);
        smp::WakePath const path;
        place(*thread);
    }
    if (slice_end != kNever) local_timer_queue(here).arm(slice_end, here);
    if (next == &previous) return;

    ++queue.switches;
    auto& count = leave == Leave::Preempted ? previous.involuntary_switches_ : previous.voluntary_switches_;
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    arch::percpu_store(smp::detail::pin_depth, next->pin_depth_);
    if (previous.hooks_ != nullptr && previous.hooks_->switch_out != nullptr) previous.hooks_->switch_out(previous);
    if (next->hooks_ != nullptr) load_user_state(queue, *next);
    queue.switched_from = &previous;
    switch_stacks(&previous.saved_stack_, next->saved_stack_);
    finish_switch(here);
}

ISR_SAFE void Scheduler::finish_switch(smp::IrqOff const& here) {
    // This may be another CPU than the one that the caller of switch_stacks() knew.
    RunQueue& queue = local_run_queue(here);
    Thread& previous = *queue.switched_from;
    Thread* const to_place = std::exchange(queue.to_place, nullptr);
    Thread* const ended = std::exchange(queue.ended, nullptr);
    // release: the saved registers go with it. From here on another CPU may run the thread, to its end.
    previous.on_cpu_.store(false, std::memory_order_release);
    if (to_place != nullptr) {
        smp::WakePath const path;
        place(*to_place);
    }
    if (ended != nullptr) ended->put();
}

MAY_BLOCK void Scheduler::park(Thread& self) {
    arch::disable_interrupts();
    smp::preempt_disable();
    smp::AssumeIrqOff const here;
    self.pin_depth_ = arch::percpu_load(smp::detail::pin_depth);  // wakers read it once they see Parked
    RunQueue& queue = local_run_queue(here);
    // A CPU that will be idle, as far as one can see, and polls then.
    bool const watch = queue.queued_hint.load(std::memory_order_relaxed) == 0 && queue.poll_time != Nanoseconds{};
    auto expected = Thread::WakeState::Running;
    // release: a waker that finds Parked sees our fields. On failure the exchange below synchronises.
    bool const parked = watch ? queue.watch(self)
                              : self.wake_state_.compare_exchange_strong(expected, Thread::WakeState::Parked,
                                                                         std::memory_order_release, std::memory_order_relaxed);
    if (parked) switch_away(Leave::Park, here);
    // acquire: everything that the wakers whose notices we consume did before.
    [[maybe_unused]] auto const notice = self.wake_state_.exchange(Thread::WakeState::Running, std::memory_order_acquire);
    ASSERT(notice == Thread::WakeState::Notified);
    smp::preempt_enable_no_switch();
    arch::enable_interrupts();
    smp::preempt_check();
}

ISR_SAFE bool Scheduler::notify(CpuId target) {
    // seq_cst: after our push or flag; the idle loop writes mode and then looks (run_queue.hpp).
    if (run_queue(target).mode.load(std::memory_order_seq_cst) == CpuMode::Polling) return false;
    hal::send_ipi(target, hal::IpiKind::Reschedule);
    return true;
}

ISR_SAFE void Scheduler::hand_over(Thread& thread, CpuId target, RunQueue& own) {
    ++own.remote_wakes;
    // A push onto others needs no interrupt: whoever pushed first has seen to it.
    if (run_queue(target).inbox.push(thread) && notify(target)) ++own.wake_interrupts;
}

ISR_SAFE void Scheduler::place(Thread& thread) {
    smp::IrqOffGuard const here;
    RunQueue& own = local_run_queue(here);
    CpuId const target = choose_cpu(thread, own.cpu);
    if (thread.cpu_.load(std::memory_order_relaxed) != target.value())
        thread.cpu_.exchange(target.value(), std::memory_order_seq_cst);
    if (target != own.cpu) {
        hand_over(thread, target, own);
        return;
    }
    // Once the lock is free, another CPU may take the thread and run it to its end.
    Ref<Thread> const keep{thread};
    own.lock.lock(here);
    own.account(hal::sched_clock());
    own.enqueue(thread);
    bool const preempts = own.precedes_current(thread);
    bool const current_is_idle = own.current->is_idle_;
    Deadline const slice_end = preempts ? kNever : own.slice_end();
    own.publish_load();
    own.lock.unlock();
    smp::race_point();
    if (preempts) request_reschedule();
    if (slice_end != kNever) local_timer_queue(here).arm(slice_end, here);
    // A CPU that went idle after we had looked and before it could see this thread: it comes and takes one.
    if (!current_is_idle) {
        CpuId const idle = claim_idle_for(thread, own.cpu);
        if (idle.value() < smp::cpu_count() && idle != own.cpu) notify(idle);
    }
}

bool Scheduler::steal(smp::IrqOff const& here) {
    RunQueue& own = local_run_queue(here);
    u32 start = own.cpu.value() + 1;
    for (u32 tries = 0; tries < 4; ++tries) {
        CpuId const victim = next_overloaded(start);
        if (victim.value() == smp::cpu_count()) return false;
        start = victim.value() + 1;
        if (victim == own.cpu) continue;
        RunQueue& other = run_queue(victim);
        if (!other.lock.try_lock(here)) continue;
        u32 const queued_before = other.queued_count;
        other.drain_inbox();
        bool const drained = other.queued_count != queued_before;
        Thread* const thread = other.take_for(own.cpu);
        if (thread != nullptr) thread->cpu_.exchange(own.cpu.value(), std::memory_order_seq_cst);
        other.publish_load();
        bool const left = other.has_queued();
        if (!left) other.clear_overloaded();
        other.lock.unlock();
        // Who pushed into the inbox may have relied on the other CPU polling it; what we emptied into the queue and leave
        // there (threads that may run nowhere else) it would never see.
        if (drained && left) hal::send_ipi(victim, hal::IpiKind::Reschedule);
        if (thread == nullptr) continue;
        ++own.steals;
        own.lock.lock(here);
        own.enqueue(*thread);
        own.publish_load();
        own.lock.unlock();
        request_reschedule();
        return true;
    }
    return false;
}

void Scheduler::preempt() {
    do {
        arch::disable_interrupts();
        smp::preempt_disable();
        if (smp::reschedule_wanted()) switch_away(Leave::Preempted, smp::AssumeIrqOff{});
        smp::preempt_enable_no_switch();
        arch::enable_interrupts();
    } while (smp::reschedule_wanted());
}

ISR_SAFE void Scheduler::irq_exit_to_kernel() {
    ISR_NOTE("interrupt-end", "the handler has returned; the interrupted thread may lose the CPU, on its own stack");
    if (smp::preempt_depth() != 0 || !smp::reschedule_wanted()) return;
    smp::preempt_disable();
    switch_away(Leave::Preempted, smp::AssumeIrqOff{});
    smp::preempt_enable_no_switch();
}

// On the Thread rung, like a system call of the thread.
NOINLINE void Scheduler::run_return_work(Thread& self, arch::TrapFrame& frame) {
    ISR_NOTE("thread-rung", "the work that a thread has to do before it returns to its program (signals)");
    arch::enable_interrupts();
    self.hooks_->return_to_user(self, frame);
    arch::disable_interrupts();
}

ISR_SAFE void Scheduler::exit_to_user(arch::TrapFrame& frame) {
    smp::rcu::note_quiescent(smp::AssumeIrqOff{});
    check_no_locks_held("on return to user mode");
    while (u32 const work = arch::percpu_load(exit_work)) {
        if ((work & kRescheduleWork) != 0) {
            smp::preempt_disable();
            switch_away(Leave::Preempted, smp::AssumeIrqOff{});
            smp::preempt_enable_no_switch();
            continue;
        }
        Thread& self = current();
        arch::percpu_store(exit_work, work & ~kThreadWork);
        // acquire: pairs with the store in set_return_work().
        self.return_work_.exchange(false, std::memory_order_acquire);
        if (self.hooks_ != nullptr && self.hooks_->return_to_user != nullptr) run_return_work(self, frame);
    }
}

ISR_SAFE void Scheduler::reschedule_interrupt(hal::IpiKind) {
    smp::AssumeIrqOff const here;
    RunQueue& queue = local_run_queue(here);
    queue.lock.lock(here);
    queue.account(hal::sched_clock());
    queue.drain_inbox();
    Thread& running = *queue.current;
    bool const wanted = queue.first_precedes_current() || (!running.is_idle_ && !running.affinity_.contains(queue.cpu));
    Deadline const slice_end = !wanted && queue.has_queued() ? queue.slice_end() : kNever;
    queue.publish_load();
    queue.lock.unlock();
    // seq_cst: see set_return_work().
    if (running.return_work_.load(std::memory_order_seq_cst)) set_exit_work(kThreadWork);
    if (wanted) request_reschedule();
    if (slice_end != kNever) local_timer_queue(here).arm(slice_end, here);
}

ISR_SAFE void Scheduler::timer_interrupt() {
    smp::AssumeIrqOff const here;
    TimerQueue& timers = local_timer_queue(here);
    RunQueue& queue = local_run_queue(here);
    timers.disarmed(here);
    Nanoseconds const now = hal::now();
    timers.run_expired(now, here);
    queue.lock.lock(here);
    queue.account(now);
    bool const over = queue.slice_is_over(now);
    Deadline const slice_end = !over && queue.has_queued() && !queue.current->is_idle_ ? queue.slice_end() : kNever;
    queue.lock.unlock();
    if (over) {
        request_reschedule();
        push_to_lighter_cpu(queue, now, here);
    }
    timers.rearm(slice_end, here);
}

// Idle CPUs take threads by themselves. Between busy ones the balance is kept here: a CPU whose threads wait for slices
// gives one to a CPU with at least two fewer. Each time another stretch of CPUs is looked at.
ISR_SAFE void Scheduler::push_to_lighter_cpu(RunQueue& queue, Nanoseconds now, smp::IrqOff const& here) {
    constexpr u32 kLookAt = 16;
    if (now < queue.next_push) return;
    queue.next_push = now + Nanoseconds::from_ms(4);
    u32 const count = smp::cpu_count();
    u32 const own_load = queue.load.load(std::memory_order_relaxed);
    u32 const stretch = count - 1 < kLookAt ? count - 1 : kLookAt;
    CpuId lightest = queue.cpu;
    u32 least = own_load;
    for (u32 i = 0; i < stretch; ++i) {
        CpuId const cpu{(queue.cpu.value() + 1 + (queue.push_offset + i) % (count - 1)) % count};
        if (!smp::is_online(cpu)) continue;
        u32 const load = run_queue(cpu).load.load(std::memory_order_relaxed);
        if (load < least) {
            least = load;
            lightest = cpu;
        }
    }
    queue.push_offset += stretch;
    if (least + 2 > own_load) return;
    queue.lock.lock(here);
    Thread* const thread = queue.take_for(lightest);
    if (thread != nullptr) thread->cpu_.exchange(lightest.value(), std::memory_order_seq_cst);
    queue.publish_load();
    queue.lock.unlock();
    if (thread == nullptr) return;
    ++queue.pushes;
    hand_over(*thread, lightest, queue);
}

void Scheduler::change_policy(Thread& thread, Policy policy) {
    // seq_cst: before we read cpu_; whoever queues the thread reads the policy after cpu_ was written.
    thread.policy_.exchange(policy, std::memory_order_seq_cst);
    smp::IrqOffGuard const here;
    while (true) {
        CpuId const cpu{thread.cpu_.load(std::memory_order_seq_cst)};
        RunQueue& queue = run_queue(cpu);
        queue.lock.lock(here);
        bool const still_there = thread.cpu_.load(std::memory_order_relaxed) == cpu.value();
        bool look = false;
        if (still_there) {
            if (queue.holds(thread)) {
                queue.dequeue(thread);
                queue.enqueue(thread);
                look = queue.first_precedes_current();
            } else if (queue.current == &thread) {
                look = queue.first_precedes_current();
            }
            queue.publish_load();
        }
        queue.lock.unlock();
        if (!still_there) continue;
        if (look && cpu == smp::this_cpu(here))
            request_reschedule();
        else if (look)
            notify(cpu);
        return;
    }
}

void Scheduler::copy_affinity(Thread const& thread, smp::CpuSet& to) {
    smp::SpinGuard guard{affinity_lock};
    to.assign(thread.affinity_);
}

void Scheduler::change_affinity(Thread& thread, smp::CpuSet const& cpus) {
    {
        smp::SpinGuard guard{affinity_lock};
        for (u32 i = 0; i < cpus.words(); ++i) {
            thread.affinity_.set_word(i, cpus.word_value(i));
            smp::race_point();
        }
    }
    // Before we read cpu_; whoever picks the thread reads the set after cpu_ was written.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    smp::IrqOffGuard const here;
    while (true) {
        CpuId const cpu{thread.cpu_.load(std::memory_order_seq_cst)};
        if (thread.affinity_.contains(cpu)) return;
        RunQueue& queue = run_queue(cpu);
        queue.lock.lock(here);
        bool const still_there = thread.cpu_.load(std::memory_order_relaxed) == cpu.value();
        bool const runs = still_there && queue.current == &thread;
        // relaxed: place() looks again, with acquire.
        bool const waits = still_there && queue.holds(thread) && thread.pin_depth_ == 0 &&
                           !thread.on_cpu_.load(std::memory_order_relaxed);
        if (waits) {
            queue.dequeue(thread);
            queue.publish_load();
        }
        queue.lock.unlock();
        if (!still_there) continue;
        if (waits) {
            smp::WakePath const path;
            place(thread);
        } else if (runs && cpu == smp::this_cpu(here))
            request_reschedule();
        else if (runs)
            notify(cpu);
        // Otherwise it sleeps or is on its way: it is placed, or checked when picked, by the new set.
        return;
    }
}

}  // namespace tutti::sched
