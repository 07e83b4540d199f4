// SPDX-License-Identifier: BSD-3-Clause
#include "sched/thread.hpp"

#include <algorithm>

#include "arch/cpu.hpp"
#include "arch/context_switch.hpp"
#include "arch/trap_frame.hpp"
#include "hal/clock.hpp"
#include "hal/interrupts.hpp"
#include "sched/dispatch.hpp"
#include "smp/rcu/rcu.hpp"

namespace tutti::sched {

namespace {

// relaxed everywhere: the number is only unique.
constinit std::atomic<u64> g_next_id{1};

bool has_online_cpu(smp::CpuSet const& cpus) {
    bool found = false;
    cpus.for_each([&](CpuId cpu) { found = found || smp::is_online(cpu); });
    return found;
}

// Room above a thread's first frame for the registers of user mode, which the entry code expects at the very top.
constexpr u64 kUserFrameRoom = align_up(u64{sizeof(arch::TrapFrame)}, 16);

}  // namespace

Result<Ref<Thread>> Thread::create(ThreadOptions const& options, Entry entry, void* argument) {
    ISR_NOTE("thread-main", "entry");
    smp::might_sleep();
    Scheduler::reclaim_dead();
    if (!options.policy.is_valid()) return fail(Error::InvalidArgument);
    if (options.affinity != nullptr && !has_online_cpu(*options.affinity)) return fail(Error::InvalidArgument);
    return create_unchecked(options, entry, argument);
}

Result<Ref<Thread>> Thread::create_unchecked(ThreadOptions const& options, Entry entry, void* argument) {
    ISR_NOTE("thread-main", "entry");
    smp::CpuSet affinity = TRY(smp::CpuSet::create_all(smp::cpu_count()));
    if (options.affinity != nullptr) affinity.assign(*options.affinity);
    mem::KernelStack stack = TRY(mem::KernelStack::create());
    Thread* const thread = new (std::nothrow) Thread(std::move(affinity));
    if (thread == nullptr) return fail(Error::NoMemory);
    thread->id_ = g_next_id.fetch_add(1, std::memory_order_relaxed);
    thread->set_name(options.name);
    thread->owner_ = options.owner;
    thread->hooks_ = options.hooks;
    thread->policy_.store(options.policy, std::memory_order_relaxed);
    thread->stack_ = std::move(stack);
    thread->stack_top_ = thread->stack_.top();
    thread->entry_ = entry;
    thread->argument_ = argument;
    thread->saved_stack_ = arch::prepare_stack(static_cast<char*>(thread->stack_top_) - kUserFrameRoom,
                                               &Scheduler::thread_main, thread);
    return Ref<Thread>::adopt(thread);
}

void Thread::start() {
    get();  // the thread's own reference, dropped when it has ended
    smp::PreemptGuard const here;
    u32 const cpu = smp::this_cpu(here).value();
    cpu_.store(cpu, std::memory_order_relaxed);
    home = cpu;
    virtual_time = run_queue(CpuId{cpu}).fair.minimum();
    // Notices may have come before: none of them has enqueued it. seq_cst: ordered against set_return_work(), as in unpark().
    wake_state_.exchange(WakeState::Notified, std::memory_order_seq_cst);
    smp::WakePath const path;
    Scheduler::place(*this);
}

void Thread::set_name(std::string_view name) {
    size_t const length = std::min(name.size(), kMaxName);
    std::copy_n(name.data(), length, name_);
    std::fill(name_ + length, name_ + sizeof name_, '\0');
}

Result<> Thread::set_policy(Policy policy) {
    if (!policy.is_valid()) return fail(Error::InvalidArgument);
    Scheduler::change_policy(*this, policy);
    return {};
}

Result<> Thread::set_affinity(smp::CpuSet const& cpus) {
    if (cpus.capacity() != affinity_.capacity() || !has_online_cpu(cpus)) return fail(Error::InvalidArgument);
    Scheduler::change_affinity(*this, cpus);
    return {};
}

void Thread::copy_affinity(smp::CpuSet& to) const { Scheduler::copy_affinity(*this, to); }

ISR_SAFE void Thread::unpark() {
    // release: the condition that the caller made true; acquire: the fields that the thread wrote before it parked.
    // seq_cst: ordered against set_return_work() as well.
    if (wake_state_.exchange(WakeState::Notified, std::memory_order_seq_cst) == WakeState::Parked)
        Scheduler::place(*this);
}

ISR_SAFE void Thread::interrupt() {
    interrupted_.store(true, std::memory_order_release);  // pairs with the acquire in is_interrupted()
    smp::WakePath const path;
    unpark();
}

ISR_SAFE void Thread::sleep_is_over(void* thread) {
    smp::WakePath const path;
    static_cast<Thread*>(thread)->unpark();
}

// The flag is written before the CPU is looked up, both sequentially consistent, and whoever makes the thread run reads
// the flag after it wrote cpu_. So either that CPU sees the flag when it picks the thread, or we find it in cpu_ and its
// interrupt handler sees the flag. A new or parked thread reads it when it is picked after a later wake-up.
ISR_SAFE void Thread::set_return_work() {
    smp::PreemptGuard const here;
    return_work_.exchange(true, std::memory_order_seq_cst);
    WakeState const state = wake_state_.load(std::memory_order_seq_cst);
    if (state == WakeState::New || state == WakeState::Parked || state == WakeState::Watched) return;
    CpuId const cpu{cpu_.load(std::memory_order_seq_cst)};
    if (cpu == smp::this_cpu(here)) {
        if (this != current_or_null()) return;  // queued here, not running: read when picked
        Scheduler::note_return_work();
        return;
    }
    hal::send_ipi(cpu, hal::IpiKind::Reschedule);
}

Result<> Thread::join(Deadline deadline, WaitMode mode) {
    return end_queue_.wait_until([&] { return has_ended(); }, deadline, mode);
}

ISR_SAFE Thread::Activity Thread::activity() const {
    if (has_ended()) return Activity::Ended;
    WakeState const state = wake_state_.load(std::memory_order_relaxed);
    if (state == WakeState::New) return Activity::New;
    return state == WakeState::Parked || state == WakeState::Watched ? Activity::Sleeping : Activity::Running;
}

ISR_SAFE Nanoseconds Thread::cpu_time() const {
    auto const charged = [&]() ISR_SAFE_LAMBDA { return Nanoseconds{cpu_time_.load(std::memory_order_relaxed)}; };
    if (this == current_or_null()) {
        smp::IrqOffGuard const here;
        return charged() + (hal::now() - local_run_queue(here).clock);
    }
    // A CPU with nothing else to run is not interrupted for long, and charges its thread at the next switch only.
    while (true) {
        // acquire: a thread that has left its CPU has been charged.
        if (!on_cpu_.load(std::memory_order_acquire)) return charged();
        CpuId const cpu = this->cpu();
        RunQueue& queue = run_queue(cpu);
        smp::SpinIrqGuard const guard{queue.lock};
        if (queue.current == this) return charged() + std::max(hal::now() - queue.clock, Nanoseconds{});
        if (cpu == this->cpu()) return charged();
    }
}

// False, and nothing done, where memory cannot be given back.
NOINLINE static bool destroy_now(Thread* thread) {
    ISR_NOTE("thread-rung", "frees memory where the caller may block, and does nothing elsewhere");
    if (!arch::interrupts_enabled() || !smp::may_block()) return false;
    Scheduler::destroy(thread);
    return true;
}

ISR_SAFE void Thread::operator delete(Thread* thread, std::destroying_delete_t) {
    if (destroy_now(thread)) return;
    smp::PreemptGuard const here;
    local_run_queue(here).dead.push(*thread);
}

void exit_current() {
    smp::might_sleep();
    Scheduler::end_current();
}

void yield() {
    smp::might_sleep();
    {
        smp::PreemptGuard const here;
        RunQueue const& queue = local_run_queue(here);
        // Nobody waits here: the common case needs no lock.
        if (queue.queued_hint.load(std::memory_order_relaxed) == 0 && queue.inbox.empty()) {
            smp::rcu::note_quiescent(here);
            return;
        }
    }
    arch::disable_interrupts();
    smp::preempt_disable();
    Scheduler::switch_away(Leave::Yield, smp::AssumeIrqOff{});
    smp::preempt_enable_no_switch();
    arch::enable_interrupts();
    smp::preempt_check();
}

Result<> park_step(Thread& self, Deadline deadline, WaitMode mode) {
    // In release builds too: a switch on the wrong rung destroys what the rung protects.
    CHECK(smp::may_block(), "blocking call in a context that must not block");
    if (mode == WaitMode::Interruptible && self.is_interrupted()) return fail(Error::Interrupted);
    if (deadline != kNever) {
        if (hal::now() >= deadline) return fail(Error::TimedOut);
        if (!self.sleep_timer_.is_pending()) self.sleep_timer_.start(deadline);
    }
    Scheduler::park(self);
    return {};
}

void end_wait(Thread& self, Deadline deadline) {
    if (deadline != kNever) self.sleep_timer_.cancel_and_wait();
}

}  // namespace tutti::sched
