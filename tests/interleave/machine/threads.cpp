// SPDX-License-Identifier: BSD-3-Clause
#include "machine/threads.hpp"

#include "hal/clock.hpp"
#include "hal/interrupts.hpp"
#include "sched/dispatch.hpp"
#include "sched/timers/timer_queue.hpp"

namespace tutti {

namespace mem {
KernelStack::KernelStack(KernelStack&& other) noexcept : bottom_{std::exchange(other.bottom_, nullptr)} {}
KernelStack& KernelStack::operator=(KernelStack&& other) noexcept {
    std::swap(bottom_, other.bottom_);
    return *this;
}
KernelStack::~KernelStack() = default;
}  // namespace mem

namespace sched {

namespace {
PERCPU_SECTION constinit smp::PerCpu<bool> g_return_work;
}  // namespace
namespace detail {
PERCPU_SECTION constinit smp::PerCpu<Thread*> current_thread;
PERCPU_SECTION constinit smp::PerCpu<RunQueue> run_queues;
}  // namespace detail

void set_machine_thread(CpuId cpu, Thread& thread) {
    detail::current_thread.on(cpu) = &thread;
    run_queue(cpu).current_hint.store(&thread, std::memory_order_relaxed);
}
Thread& thread_of(CpuId cpu) { return *detail::current_thread.on(cpu); }

// As in sched/dispatch.cpp, with a CPU that sleeps in place of the switch. It may be interrupted meanwhile.
void Scheduler::park(Thread& self) {
    arch::disable_interrupts();
    smp::preempt_disable();
    auto expected = Thread::WakeState::Running;
    if (self.wake_state_.compare_exchange_strong(expected, Thread::WakeState::Parked, std::memory_order_release,
                                                 std::memory_order_relaxed)) {
        RunQueue& queue = local_run_queue(smp::AssumeIrqOff{});
        queue.current_hint.store(nullptr, std::memory_order_relaxed);
        arch::enable_interrupts();
        interleave::sleep();
        arch::disable_interrupts();
        queue.current_hint.store(&self, std::memory_order_relaxed);
        g_return_work.store(self.return_work_.load(std::memory_order_seq_cst));
    }
    [[maybe_unused]] auto const notice = self.wake_state_.exchange(Thread::WakeState::Running, std::memory_order_acquire);
    ASSERT(notice == Thread::WakeState::Notified);
    smp::preempt_enable_no_switch();
    arch::enable_interrupts();
    smp::preempt_check();
}

void Scheduler::note_return_work() { g_return_work.store(true); }
void Scheduler::reschedule_interrupt(hal::IpiKind) {
    if (current().return_work_.load(std::memory_order_seq_cst)) g_return_work.store(true);
}
bool return_work_of(CpuId cpu) { return g_return_work.on(cpu); }

[[gnu::weak]] void Scheduler::place(Thread& thread) { interleave::wake(thread.cpu().value()); }

Result<Thread*> Scheduler::create_main(CpuId cpu) {
    auto* const thread = new (std::nothrow) Thread(TRY(smp::CpuSet::create_all(smp::cpu_count())));
    thread->wake_state_.store(Thread::WakeState::Running, std::memory_order_relaxed);
    thread->cpu_.store(cpu.value(), std::memory_order_relaxed);
    return thread;
}

void Scheduler::destroy(Thread*) { interleave::fail("machine", "a thread of the simulated machine lost its last reference"); }

}  // namespace sched

namespace hal {

namespace {
void timer_interrupt() {
    smp::AssumeIrqOff const here;
    sched::TimerQueue& timers = sched::local_timer_queue(here);
    timers.disarmed(here);
    interleave::set_clock(1'000'000);  // later than every deadline that programs use
    timers.run_expired(now(), here);
}
}  // namespace

[[gnu::weak]] void send_ipi(CpuId target, IpiKind) {
    interleave::raise_interrupt(target.value(), [] { sched::Scheduler::reschedule_interrupt(IpiKind::Reschedule); });
}

Nanoseconds now() { return Nanoseconds{static_cast<i64>(interleave::now())}; }
Nanoseconds sched_clock() { return now(); }
// Any moment from now on may be the deadline.
void arm_timer(Deadline deadline) {
    if (deadline != kNever) interleave::raise_interrupt(interleave::this_cpu(), timer_interrupt);
}

}  // namespace hal

namespace interleave {

namespace {
void count_rung(void (*handler)()) {
    smp::IsrEntry const isr;
    handler();
}
}  // namespace

void start_threads(unsigned count) {
    set_interrupt_wrapper(count_rung);
    set_time_step(1);
    for (unsigned cpu = 0; cpu < count; ++cpu) {
        *arch::percpu_address_in(percpu_area(cpu), smp::detail::preempt_state) = smp::detail::kNoRescheduleWanted;
        sched::Thread* const thread = *sched::Scheduler::create_main(CpuId{cpu});
        sched::set_machine_thread(CpuId{cpu}, *thread);
    }
}

sched::Thread& machine_thread(unsigned cpu) { return sched::thread_of(CpuId{cpu}); }
bool has_return_work(unsigned cpu) { return sched::return_work_of(CpuId{cpu}); }
void interrupt_thread(unsigned cpu) { machine_thread(cpu).interrupt(); }

}  // namespace interleave
}  // namespace tutti
