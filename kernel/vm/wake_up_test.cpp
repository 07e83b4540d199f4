// SPDX-License-Identifier: BSD-3-Clause
// Wake-ups while nothing of the program's memory is there: every page that may be unmapped is, and each way of waking is
// gone through on every CPU, from threads and from interrupt handlers. A fault on the way would be counted here (user
// half) or end the run (kernel half: nothing there is ever unmapped).
#include "hal/clock.hpp"
#include "hal/hooks.hpp"
#include "harness/test.hpp"
#include "sched/thread.hpp"
#include "sched/wait/barrier.hpp"
#include "sched/wait/condition_variable.hpp"
#include "sched/wait/event.hpp"
#include "sched/wait/once.hpp"
#include "sched/wait/rw_lock.hpp"
#include "sched/wait/semaphore.hpp"
#include "smp/ipi/call.hpp"
#include "vm/address_space.hpp"
#include "vm/user_copy.hpp"

namespace tutti::vm {
namespace {

constinit std::atomic<u64> faults_seen{0};
constinit bool (*real_page_fault)(arch::TrapFrame&, VirtAddr, hal::FaultAccess) = nullptr;
bool count_fault(arch::TrapFrame& frame, VirtAddr address, hal::FaultAccess access) {
    faults_seen.fetch_add(1);
    return real_page_fault(frame, address, access);
}

// One of each, and a thread that waits for one after the other.
struct Sleeper {
    sched::Mutex mutex;
    sched::RwLock rw_lock;
    sched::ConditionVariable condition;
    sched::Semaphore semaphore{0};
    sched::Event event;
    sched::Barrier barrier{2};
    sched::WaitQueue queue;
    sched::Once once;
    std::atomic<u32> parked_for{0};  // what it waits for now
    std::atomic<u32> rung{0};
    std::atomic<bool> once_begun{false};

    static void run(void* argument) NO_THREAD_SAFETY_ANALYSIS {
        auto& s = *static_cast<Sleeper*>(argument);
        using enum sched::WaitMode;
        s.parked_for.store(1), s.semaphore.down();
        s.parked_for.store(2), s.semaphore.down();
        s.parked_for.store(3), s.semaphore.down();
        s.parked_for.store(4), (void)s.event.wait();
        s.parked_for.store(5), s.barrier.arrive_and_wait();
        s.parked_for.store(6), s.mutex.lock();
        s.parked_for.store(7), (void)s.condition.wait(s.mutex);
        s.mutex.unlock();
        s.parked_for.store(8), s.rw_lock.lock();
        s.rw_lock.unlock();
        s.parked_for.store(9), (void)s.queue.wait_until([&] { return s.rung.load() >= 1; });
        s.parked_for.store(10), s.once.call([] {});
        s.parked_for.store(11);
        (void)sched::park_until([&] { return s.rung.load() >= 2; });
        s.parked_for.store(12);
        EXPECT_ERROR(sched::park_until([] { return false; }, kNever, Interruptible), Error::Interrupted);
        s.parked_for.store(13);
        // A deadline: the timer's handler wakes it.
        EXPECT_ERROR(s.event_that_never_comes.wait(hal::now() + Nanoseconds::from_us(200)), Error::TimedOut);
    }
    sched::Event event_that_never_comes;
};

// The sleeper has announced `what` and sleeps.
void await(Sleeper& s, sched::Thread const& thread, u32 what) {
    while (s.parked_for.load() != what || thread.activity() != sched::Thread::Activity::Sleeping) sched::yield();
}

void go_through_all(CpuId cpu, u32 cpus) NO_THREAD_SAFETY_ANALYSIS {
    Sleeper s;
    auto made = sched::Thread::create({.name = "sleeper"}, &Sleeper::run, &s);
    REQUIRE(made.has_value());
    sched::Thread& thread = **made;
    s.mutex.lock();
    s.rw_lock.lock_shared();
    thread.start();
    auto const up = [](void* semaphore) ISR_SAFE_LAMBDA { (void)static_cast<sched::Semaphore*>(semaphore)->up(); };

    await(s, thread, 1);
    (void)s.semaphore.up();  // by a thread
    await(s, thread, 2);
    smp::call_on(CpuId{(cpu.value() + 1) % cpus}, up, &s.semaphore);  // by the interrupt handler of a call
    await(s, thread, 3);
    sched::Timer timer{up, &s.semaphore};  // by a timer's
    timer.start(hal::now() + Nanoseconds::from_us(50));
    await(s, thread, 4);
    timer.cancel_and_wait();
    s.event.set();
    await(s, thread, 5);
    s.barrier.arrive_and_wait();
    await(s, thread, 6);
    s.mutex.unlock();
    await(s, thread, 7);
    {
        smp::IrqOffGuard const off;  // with interrupts off
        s.condition.notify_one();
    }
    await(s, thread, 8);
    s.rw_lock.unlock_shared();
    await(s, thread, 9);
    s.rung.store(1);
    s.queue.wake_all();
    await(s, thread, 11);
    s.rung.store(2);
    {
        smp::WakePath const path;
        thread.unpark();
    }
    await(s, thread, 12);
    thread.interrupt();
    (void)thread.join();
}

TEST_ALL_CPUS(wake_up, with_every_user_page_unmapped) {
    constexpr u64 kPages = 64;
    static Ref<AddressSpace> shared;
    static VirtAddr base;
    if (cpu.value() == 0) {
        faults_seen.store(0);
        real_page_fault = hal::hooks.page_fault;
        shared = *AddressSpace::create();
        base = shared->map({.length = kPages * kPageSize, .protection = {.read = true, .write = true}}).value_or(VirtAddr{});
        hal::hooks.page_fault = count_fault;
    }
    harness::meet();
    {
        smp::PinGuard const pin;
        shared->activate();
        // A program's memory, in use on every CPU.
        for (u64 page = 0; page < kPages; ++page) {
            u64 const word = page;
            EXPECT(copy_to_user(base + page * kPageSize + 8 * cpu.value(), &word, sizeof word).has_value());
        }
        harness::meet();
        if (cpu.value() == 0) {
            EXPECT(faults_seen.load() >= kPages);  // they are counted
            auto areas = shared->areas();
            REQUIRE(areas.has_value());
            for (AreaInfo const& area : *areas) EXPECT(shared->unmap(area.start, area.end - area.start).has_value());
            EXPECT_EQ(shared->statistics().resident_pages, u64{0});
            EXPECT_EQ(shared->statistics().areas, u64{0});
        }
        harness::meet();
        u64 word = 0;
        EXPECT_ERROR(copy_from_user(&word, base, sizeof word), Error::BadAddress);
        harness::meet();
        if (cpu.value() == 0) faults_seen.store(0);
        harness::meet();
        for (u32 round = 0; round < harness::rounds_each(5, cpus); ++round) go_through_all(cpu, cpus);
        harness::meet();
        EXPECT_EQ(faults_seen.load(), u64{0});
        harness::meet();
        deactivate();
    }
    if (cpu.value() == 0) {
        hal::hooks.page_fault = real_page_fault;
        shared.reset();
    }
}

}  // namespace
}  // namespace tutti::vm
