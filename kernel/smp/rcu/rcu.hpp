// SPDX-License-Identifier: BSD-3-Clause
// Read-copy-update: readers take no lock and write nothing; who removes an object waits, or has the object freed, until
// every CPU has left the read sections that could still see it (rcu/grace_period.hpp has the algorithm and its proof).
//
//   reader                                      writer (excludes other writers by a lock of its own)
//     rcu::ReadGuard reading;                     Thing* const old = slot.load_locked();
//     if (Thing* t = slot.load(reading)) use(*t)  slot.publish(fresh);
//                                                 rcu::synchronize(); delete old;      or   rcu::defer(old->node, free_it);
//
// A read section is any stretch without preemption: every NoPreempt proof is good for reading, so a holder of a spin lock
// or an interrupt handler pays nothing more. It must not block. An NMI handler must not read: it may hit a halted CPU.
//
// Quiescent states: a switch of threads; the idle loop; any interrupt that hits code with preemption on, in the kernel or
// in a program. A CPU that has none for a while, spinning in a program say, is sent an interrupt; a halted CPU is left alone.
#pragma once

#include "smp/context/context.hpp"
#include "smp/percpu/percpu.hpp"
#include "smp/rcu/grace_period.hpp"

namespace tutti::smp::rcu {

namespace detail {
extern GracePeriods grace_periods;
extern PerCpu<QuiescentWord> words;
}  // namespace detail

// Whether this CPU takes part: false while it is halted and before it has come up. Preemption off.
[[nodiscard]] inline bool is_watching(NoPreempt const& here) {
    return !GracePeriods::is_extended(detail::words.local(here));
}

// A read section. Costs what PreemptGuard costs. Nests. Any context up to Isr.
class ReadGuard : public PreemptGuard {
  public:
    ReadGuard() { ASSERT(is_watching(*this), "read section on a CPU that waits for nobody"); }
};

// --- waiting and reclaiming -------------------------------------------------------------------------------------------

// Returns when every read section that ran at the call has ended. Thread context, not in a read section; has no deadline:
// sections are short. CPUs that do not come by are interrupted.
void synchronize();
// The same in two steps, with other work in between. start_grace_period(): any context; wait_for(): as synchronize().
[[nodiscard]] inline Ticket start_grace_period() { return detail::grace_periods.start(); }
[[nodiscard]] inline bool is_over(Ticket ticket) { return detail::grace_periods.is_over(ticket); }
void wait_for(Ticket ticket);
// Hurries the grace periods that have begun: interrupts CPUs that have not come by. Any context up to Isr.
void expedite();

// Lies in the object to be reclaimed. An object's node is deferred once at a time.
class Callback {
  public:
    using Function = void (*)(Callback&);
    constexpr Callback() = default;
    Callback(Callback const&) = delete;
    Callback& operator=(Callback const&) = delete;

  private:
    friend struct CallbackQueue;
    Callback* next_ = nullptr;
    Function function_ = nullptr;  // set while deferred
};

// Calls function(callback) on this CPU when every read section that runs now has ended; on the NoPreempt rung, with
// interrupts on, from a thread of this CPU. The function may free memory, take spin locks, wake threads and defer again.
// In the order of the calls of each CPU. Allocates nothing. Any context up to Isr, without locks that rank above the run
// queue's. When more than kManyPending wait here, the grace period is expedited; in Thread context the caller waits then.
inline constexpr u64 kManyPending = 4096;
void defer(Callback& callback, Callback::Function function);

// Returns when every callback that was deferred before, on any CPU, has run. Thread context.
void barrier();

// --- the scheduler's side ---------------------------------------------------------------------------------------------

// No read section runs on this CPU. A few instructions.
ALWAYS_INLINE void note_quiescent(NoPreempt const& here) {
    QuiescentWord& own = detail::words.local(here);
    ASSERT(!GracePeriods::is_extended(own), "quiescent state of a CPU that waits for nobody");
    detail::grace_periods.quiescent(own);
}
// A point between read sections of a long computation in Thread context.
inline void quiescent_point() {
    might_sleep();
    PreemptGuard const here;
    note_quiescent(here);
}
// Around a halt, interrupts off: until then grace periods do not wait for this CPU. An interrupt ends it before its handler
// runs. leave_idle() may come twice. A CPU that comes up starts with leave_idle().
inline void enter_idle(IrqOff const& here) { detail::grace_periods.enter_extended(detail::words.local(here)); }
inline void leave_idle(IrqOff const& here) {
    QuiescentWord& own = detail::words.local(here);
    if (GracePeriods::is_extended(own)) detail::grace_periods.leave_extended(own);
}
// First thing in an interrupt: what it interrupted was no read section if preemption was on.
ALWAYS_INLINE void note_interrupt(Isr const& here) {
    QuiescentWord& own = detail::words.local(here);
    if (GracePeriods::is_extended(own)) [[unlikely]]
        detail::grace_periods.leave_extended(own);
    else if (preempt_depth() == 0)
        detail::grace_periods.quiescent(own);
}

// What needs threads, which this layer does not have. Registered once; until then waits only spin and callbacks only gather.
struct ThreadHooks {
    void (*sleep)(Nanoseconds);      // Thread context
    void (*wake_worker)(CpuId cpu);  // run_callbacks() has something to do on `cpu`, the caller's. Up to Isr
};
void set_thread_hooks(ThreadHooks const& hooks);

// For the one thread of each CPU that runs callbacks, pinned there: has anything been deferred; wait for a grace period
// and run what was deferred before it.
[[nodiscard]] bool has_callbacks(CpuId cpu);
void run_callbacks(CpuId cpu);

// --- looking at it ----------------------------------------------------------------------------------------------------

// A grace period that waits longer for a CPU is reported once, with that CPU's stack. Returns the threshold before.
inline constexpr Nanoseconds kStallThreshold = Nanoseconds::from_s(10);
Nanoseconds set_stall_threshold(Nanoseconds threshold);
struct Statistics {
    u64 grace_periods;  // begun
    u64 interrupts;     // sent to CPUs that did not come by
    u64 stalls;         // reported
    u64 pending;        // callbacks, on all CPUs
};
// Numbers read one after the other.
[[nodiscard]] Statistics statistics();

}  // namespace tutti::smp::rcu
