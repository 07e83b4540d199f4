// SPDX-License-Identifier: BSD-3-Clause
// Signals between tasks whose threads are the kernel's: what the program would run is left out.
#include "hal/clock.hpp"
#include "harness/test.hpp"
#include "linux_abi/process/process.hpp"
#include "linux_abi/signal/deliver.hpp"
#include "linux_abi/signal/pending.hpp"
#include "linux_abi/signal/send.hpp"
#include "linux_abi/signal/wait.hpp"
#include "sched/timers/sleep.hpp"
#include "smp/debug/race_point.hpp"

namespace tutti::linux_abi {
namespace {

struct SignalTest {
    Ref<Process> process;

    void set_up() {
        auto space = vm::AddressSpace::create();
        REQUIRE(space.has_value());
        auto created = Process::create(1, std::move(*space));
        REQUIRE(created.has_value());
        process = std::move(*created);
    }

    ThreadGroup& group() { return process->threads(); }

    // A task of a thread that will run entry(&task) once started.
    Result<Ref<Task>> make_task(sched::Thread::Entry entry, smp::CpuSet const* cpus = nullptr) {
        ISR_NOTE("thread-main", "entry");
        Ref<Task> task = TRY(Task::create(*process, group().allocate_tid()));
        task->attach_thread(TRY(sched::Thread::create({.name = "task", .affinity = cpus}, entry, task.get())));
        TRY(group().add(*task));
        return task;
    }
    // As exit_task does it.
    void end(Task& task) {
        {
            smp::SpinIrqGuard guard{group().lock()};
            task.exiting = true;
        }
        (void)group().remove(task);
        group().release_discarded();
    }
    void block(Task& task, SignalSet signals) {
        smp::SpinIrqGuard guard{group().lock()};
        task.blocked = signals;
    }
};

// A timer may be deleted, with its entry, as soon as the lock is free.
TEST_F(SignalTest, the_entry_of_a_timer_is_not_given_to_the_taker) {
    PendingSignals pending;
    QueuedSignal of_timer;
    of_timer.owner = QueuedSignal::Owner::Timer;
    of_timer.info = kernel_info(kSIGALRM);
    pending.add(of_timer);
    SigInfo info;
    EXPECT(pending.take(kSIGALRM, info) == nullptr);
    EXPECT_EQ(info.signo, i32{kSIGALRM});
    EXPECT(!of_timer.queued);
    EXPECT(pending.set().empty());
}

// From then on no timer that is deleted finds it.
TEST_F(SignalTest, a_removed_thread_keeps_no_signals) {
    QueuedSignal of_timer;
    of_timer.owner = QueuedSignal::Owner::Timer;
    of_timer.info = kernel_info(kSIGALRM);
    auto task = make_task([](void*) {});
    REQUIRE(task.has_value());
    block(**task, SignalSet::all() - kUnblockable);
    send_timer_signal(*process, (*task)->tid(), of_timer, 0);
    EXPECT(send_to_task(**task, kernel_info(kSIGUSR1)).has_value());
    EXPECT(of_timer.queued);
    EXPECT(group().remove(**task));
    EXPECT(!of_timer.queued);
    EXPECT((*task)->pending.set().empty());
    group().release_discarded();
}

// A sender that found the thread before it ended holds a reference still.
TEST_F(SignalTest, a_thread_that_has_ended_gets_none) {
    auto task = make_task([](void*) {});
    REQUIRE(task.has_value());
    block(**task, SignalSet::all() - kUnblockable);
    end(**task);
    EXPECT(send_to_task(**task, kernel_info(kSIGUSR1)).has_value());
    EXPECT((*task)->pending.set().empty());
}

// Two signals for the process while one thread waits for both: it takes one, the other is for whoever does not block it.
TEST_F(SignalTest, what_a_wait_leaves_finds_another_thread) {
    auto only_here = smp::CpuSet::create(smp::cpu_count());
    REQUIRE(only_here.has_value());
    only_here->add(smp::this_cpu_unstable());
    REQUIRE(sched::current().set_affinity(*only_here).has_value());
    auto wait = [](void* argument) {
        (void)wait_for_signal_in(*static_cast<Task*>(argument), SignalSet::of(kSIGUSR1, kSIGUSR2), kNever);
    };
    auto waiting = make_task(wait, &*only_here);
    auto other = make_task([](void*) {});
    REQUIRE(waiting.has_value() && other.has_value());
    block(**waiting, SignalSet::of(kSIGUSR1, kSIGUSR2));
    (*waiting)->thread().start();
    auto is_waiting = [&] {
        smp::SpinIrqGuard guard{group().lock()};
        return !(*waiting)->waiting_for.empty();
    };
    while (!is_waiting()) (void)sched::sleep_for(Nanoseconds::from_us(100));

    QueuedSignal signals[2];
    signals[0].info = kernel_info(kSIGUSR1);
    signals[1].info = kernel_info(kSIGUSR2);
    for (QueuedSignal& signal : signals) signal.owner = QueuedSignal::Owner::Timer;
    {
        smp::PreemptGuard const both;  // before the waiting thread, which may run here only, takes the first
        for (QueuedSignal& signal : signals) send_timer_signal(*process, 0, signal, 0);
    }
    EXPECT((*waiting)->thread().join().has_value());
    EXPECT(!signals[0].queued);
    EXPECT(signals[1].queued);
    EXPECT((*other)->thread().is_interrupted());
    (void)group().pending.remove(signals[1]);
    end(**waiting);
    end(**other);
}

// SIGCONT follows a stop signal at once: whatever has become of that meanwhile, the process goes on.
TEST_F(SignalTest, a_stop_is_continued_whenever_it_was_taken) {
    smp::RaceAmplifier const amplifier{3000};
    auto take_signals = [](void* argument) {
        arch::TrapFrame frame{};
        deliver_signals(*static_cast<Task*>(argument), frame);
    };
    auto is_pending = [&] {
        smp::SpinIrqGuard guard{group().lock()};
        return !group().pending.set().empty();
    };
    auto goes_on = [](sched::Thread& thread) { return thread.join(hal::now() + Nanoseconds::from_s(10)).has_value(); };
    for (u32 round = 0; round < 20; ++round) {
        auto task = make_task(take_signals);
        REQUIRE(task.has_value());
        REQUIRE(send_to_process(*process, kernel_info(kSIGSTOP)).has_value());
        (*task)->thread().start();
        while (is_pending()) sched::yield();
        REQUIRE(send_to_process(*process, kernel_info(kSIGCONT)).has_value());
        bool const continued = goes_on((*task)->thread());
        if (!continued) REQUIRE(send_to_process(*process, kernel_info(kSIGCONT)).has_value());
        REQUIRE(goes_on((*task)->thread()));
        end(**task);
        REQUIRE(continued);
    }
}

// Whichever thread SIGKILL was sent to, no other takes a stop signal before it.
TEST_F(SignalTest, no_stop_comes_before_a_kill) {
    auto killed = make_task([](void*) {});
    auto stopping = make_task([](void* argument) {
        arch::TrapFrame frame{};
        deliver_signals(*static_cast<Task*>(argument), frame);
    });
    REQUIRE(killed.has_value() && stopping.has_value());
    REQUIRE(send_to_task(**stopping, kernel_info(kSIGSTOP)).has_value());
    REQUIRE(send_to_task(**killed, kernel_info(kSIGKILL)).has_value());
    (*stopping)->thread().start();
    EXPECT((*stopping)->thread().join(hal::now() + Nanoseconds::from_s(10)).has_value());
    EXPECT(process->is_exiting());
    process->begin_exit({});
    EXPECT((*stopping)->thread().join().has_value());
    end(**killed);
    end(**stopping);
}

}  // namespace
}  // namespace tutti::linux_abi
