// SPDX-License-Identifier: BSD-3-Clause
// A thread: a kernel stack, a place in the run queues, and what others may ask of it.
//
// Wake-ups (docs/wakeup.md). `wake_state_` is the whole protocol between a thread that parks and those that unpark it:
//
//              unpark()                         unpark(): this caller enqueues the thread
//   Running --------------> Notified <-------------------------------------- Parked
//      ^                       |                                               ^
//      +----- park() ----------+            park(): Running -> Parked ----------+
//        consumes the notice                (interrupts off until switched out)
//
// Watched is Parked while the thread's CPU polls in its idle loop and looks at this word: an unpark() that finds it has
// nothing more to do, the CPU queues the thread. Before it stops looking it turns Watched into Parked (run_queue.hpp).
// Exactly one unpark() sees Parked, so a thread is enqueued once. A notice that comes before the park is not lost: park()
// returns at once. park() may return for an old notice: callers test their condition again (park_until in sched/park.hpp).
// A thread is New until start(), which enqueues it whatever notices came before: others may know it by then (signals).
//
// Hand-over of the stack. `on_cpu_` is true from the moment a CPU picks the thread until that CPU has left its stack.
// A thread that is woken while it is still being switched out is queued on that same CPU; any other CPU takes a thread
// only after it has seen on_cpu_ false (acquire), which the old CPU stores (release) when the registers are saved.
//
// Lifetime: reference-counted. A started thread holds a reference to itself until its CPU has left its stack for ever.
// The last put() may happen anywhere: memory and stack are freed later, in a context that may (thread reclaim).
#pragma once

#include <atomic>
#include <new>
#include <string_view>

#include "base/ref.hpp"
#include "base/result.hpp"
#include "mem/stack/kernel_stack.hpp"
#include "sched/current.hpp"
#include "sched/run_queue/entity.hpp"
#include "sched/timers/timer.hpp"
#include "sched/wait/blocking_lock_debug.hpp"
#include "sched/wait/wait_mode.hpp"
#include "sched/wait/wait_queue.hpp"
#include "smp/lockfree/mpsc_queue.hpp"
#include "smp/percpu/cpu_set.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::arch {
struct TrapFrame;
}

namespace tutti::sched {

class Thread;
class RunQueue;

// Whether the registers and the address space that a thread left on this CPU are still there: no other thread with hooks
// has run here since, and this thread has run nowhere else.
enum class Residence : u8 { Gone, StillThere };

// What a higher layer does for its threads. All may be null. Threads without hooks run in the kernel only.
struct ThreadHooks {
    // At a switch, interrupts off, on the stack of the thread that stops running. Must not block, fault or take locks
    // that rank below the run queue's.
    void (*switch_out)(Thread&) = nullptr;
    void (*switch_in)(Thread&, Residence) = nullptr;
    // Before a return to user mode, after set_return_work(): interrupts on, Thread context, may block.
    void (*return_to_user)(Thread&, arch::TrapFrame&) = nullptr;
};

struct ThreadOptions {
    std::string_view name;
    Policy policy{};
    smp::CpuSet const* affinity = nullptr;  // copied; null: every CPU
    ThreadHooks const* hooks = nullptr;
    void* owner = nullptr;
};

class Thread : public RefCounted<Thread>, private RunEntity {
  public:
    using Entry = void (*)(void* argument);
    static constexpr size_t kMaxName = 15;

    // A thread that will run entry(argument) once started, and ends when that returns. Error::NoMemory,
    // Error::InvalidArgument (policy, or an affinity without a CPU of this machine). Thread context.
    [[nodiscard]] static Result<Ref<Thread>> create(ThreadOptions const& options, Entry entry, void* argument)
        EXCLUDES(smp::wake_path);
    // Once. Thread context or a spin lock's section.
    void start();

    [[nodiscard]] u64 id() const { return id_; }
    [[nodiscard]] std::string_view name() const { return name_; }
    void set_name(std::string_view name);
    [[nodiscard]] void* owner() const { return owner_; }
    void set_owner(void* owner) { owner_ = owner; }
    // Before start(), or the thread itself.
    void set_hooks(ThreadHooks const* hooks) { hooks_ = hooks; }
    [[nodiscard]] void* kernel_stack_top() const { return stack_top_; }

    [[nodiscard]] Policy policy() const { return policy_.load(std::memory_order_relaxed); }
    // Takes effect at once, wherever the thread is. Error::InvalidArgument.
    Result<> set_policy(Policy policy);
    // Each CPU by itself: others may be changing it.
    [[nodiscard]] smp::CpuSet const& affinity() const { return affinity_; }
    // The whole set as it was at one moment. `to` is of the machine's size. Thread context.
    void copy_affinity(smp::CpuSet& to) const;
    // A thread that runs or waits on a CPU outside the new set moves at once; the caller itself before this returns.
    // Error::InvalidArgument when the set has no CPU of this machine. Thread context.
    Result<> set_affinity(smp::CpuSet const& cpus) EXCLUDES(smp::wake_path);
    // The CPU where it runs or ran last.
    [[nodiscard]] CpuId cpu() const { return CpuId{cpu_.load(std::memory_order_relaxed)}; }

    // Gives a notice: a parked thread runs again, a running one does not park next time. Everything before this call is
    // visible to the thread after park(). Lock-free, up to Isr context; never blocks, faults or allocates.
    void unpark() REQUIRES(smp::wake_path);

    // Asks the thread to come back from interruptible waits: those in progress and those to come fail with
    // Error::Interrupted until clear_interrupt(). For signals and for ending a thread. Up to Isr context.
    void interrupt();
    void clear_interrupt() { interrupted_.store(false, std::memory_order_relaxed); }
    [[nodiscard]] bool is_interrupted() const { return interrupted_.load(std::memory_order_acquire); }

    // Makes hooks.return_to_user run before the thread's next return to user mode; if it is in user mode now, soon.
    // Up to Isr context.
    void set_return_work();

    // Waits until the thread has ended. Errors: TimedOut, Interrupted. Thread context.
    Result<> join(Deadline deadline = kNever, WaitMode mode = WaitMode::Uninterruptible) EXCLUDES(smp::wake_path);
    [[nodiscard]] bool has_ended() const { return ended_.load(std::memory_order_acquire); }

    // For /proc: a look that may be old.
    enum class Activity : u8 { New, Running, Sleeping, Ended };
    [[nodiscard]] Activity activity() const;
    // CPU time used up to this moment. Never goes back. Up to Isr context; takes the lock of the CPU that runs the thread.
    [[nodiscard]] Nanoseconds cpu_time() const;
    [[nodiscard]] u64 voluntary_switches() const { return voluntary_switches_.load(std::memory_order_relaxed); }
    [[nodiscard]] u64 involuntary_switches() const { return involuntary_switches_.load(std::memory_order_relaxed); }

    // What debug builds check of it; for the thread itself.
    [[nodiscard]] HeldLocks& held_locks() { return held_locks_; }

    // A woken thread that only its own CPU may take: pinned there, or its registers are still being saved.
    [[nodiscard]] bool must_stay_on_cpu() const {
        // acquire: pairs with the release in finish_switch().
        return pin_depth_ != 0 || on_cpu_.load(std::memory_order_acquire);
    }

    // The last put(): now or later, depending on the context.
    static void operator delete(Thread* thread, std::destroying_delete_t);

  private:
    friend class RefCounted<Thread>;
    friend class RunQueue;
    friend class Scheduler;
    friend class RcuWorker;
    friend Result<> park_step(Thread& self, Deadline deadline, WaitMode mode);
    friend void end_wait(Thread& self, Deadline deadline);

    enum class WakeState : u32 { New, Running, Notified, Parked, Watched };

    // For CPUs that are not online yet, too. Up to Isr context.
    [[nodiscard]] static Result<Ref<Thread>> create_unchecked(ThreadOptions const& options, Entry entry, void* argument);

    explicit Thread(smp::CpuSet affinity) : affinity_{std::move(affinity)}, sleep_timer_{&sleep_is_over, this} {}
    ~Thread() = default;
    static void sleep_is_over(void* thread);

    // --- identity: constant once started ---------------------------------------------------------------------------
    u64 id_ = 0;
    char name_[kMaxName + 1] = {};
    void* owner_ = nullptr;
    ThreadHooks const* hooks_ = nullptr;
    mem::KernelStack stack_;
    void* stack_top_ = nullptr;
    Entry entry_ = nullptr;
    void* argument_ = nullptr;
    bool is_idle_ = false;

    // --- written by others ---------------------------------------------------------------------------------------
    alignas(kCacheLine) std::atomic<WakeState> wake_state_{WakeState::New};
    std::atomic<bool> interrupted_{false};
    std::atomic<bool> return_work_{false};
    std::atomic<bool> ended_{false};
    std::atomic<bool> on_cpu_{false};
    // Written by whoever places the thread (seq_cst when it changes: set_policy, set_affinity and set_return_work store
    // their word first and read this second; a CPU that picks the thread reads those words after this was written).
    std::atomic<u32> cpu_{0};
    u32 pin_depth_ = 0;  // written before it parks; here for those who place it
    smp::MpscNode<Thread> wake_node_;  // in a CPU's wake queue, or in the list of dead threads
    std::atomic<Policy> policy_{Policy{}};
    smp::CpuSet affinity_;

    // --- the run queue's, with RunEntity: under the lock of the queue of cpu_, or of the CPU that runs it -------------
    alignas(kCacheLine) void* saved_stack_ = nullptr;  // valid while not on_cpu_
    u32 resident_cpu_ = ~u32{0};
    std::atomic<i64> cpu_time_{0};  // written by its CPU only
    std::atomic<u64> voluntary_switches_{0};
    std::atomic<u64> involuntary_switches_{0};

    Timer sleep_timer_;
    WaitQueue end_queue_;
    [[no_unique_address]] HeldLocks held_locks_;
};

// Ends the current thread.
[[noreturn]] void exit_current() EXCLUDES(smp::wake_path);
// Lets other runnable threads of this CPU run first, as sched_yield does. Thread context.
void yield() EXCLUDES(smp::wake_path);

}  // namespace tutti::sched
