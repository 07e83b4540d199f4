// SPDX-License-Identifier: BSD-3-Clause
// Switches, wake-ups and threads. On one CPU: the bench image counts instructions.
#include "base/assert.hpp"
#include "harness/bench.hpp"
#include "sched/park.hpp"
#include "sched/thread.hpp"

namespace tutti::sched {
namespace {

void wake(Thread& thread) {
    smp::WakePath const path;
    thread.unpark();
}

// A thread that does `step` until told to end.
class Other {
  public:
    explicit Other(void (*step)(Other&)) : step_{step} {
        auto thread = Thread::create({.name = "other"},
                                     [](void* self) {
                                         auto& own = *static_cast<Other*>(self);
                                         while (!own.ends_.load(std::memory_order_relaxed)) own.step_(own);
                                     },
                                     this);
        CHECK(thread);
        thread_ = std::move(*thread);
        thread_->start();
    }
    ~Other() {
        ends_.store(true, std::memory_order_relaxed);
        wake(*thread_);
        (void)thread_->join();
    }
    [[nodiscard]] Thread& thread() { return *thread_; }
    Thread* const maker = &current();

  private:
    void (*step_)(Other&);
    std::atomic<bool> ends_{false};
    Ref<Thread> thread_;
};

BENCH(sched, yield_alone) {
    bench.count([] { yield(); });
}
BENCH(sched, yield_switch) {
    Other other{[](Other&) { yield(); }};
    bench.count([] { yield(); }, 2);  // there and back
}
// Each wakes the other and parks: two wake-ups and two switches.
BENCH(sched, unpark_and_park) {
    static constinit std::atomic<u32> turn{0};
    Other other{[](Other& own) {
        (void)park_until([] { return turn.load(std::memory_order_acquire) % 2 == 1; }, hal::now() + Nanoseconds::from_s(1));
        turn.fetch_add(1, std::memory_order_release);
        wake(*own.maker);
    }};
    bench.count(
        [&] {
            turn.fetch_add(1, std::memory_order_release);
            wake(other.thread());
            (void)park_until([] { return turn.load(std::memory_order_acquire) % 2 == 0; });
        },
        2);
    turn.store(1, std::memory_order_release);
}
BENCH(sched, unpark_running) {
    bench.count([] { wake(current()); });
    (void)park_until([] { return false; }, hal::now());
}
BENCH(sched, thread_create_run_join) {
    bench.count([] {
        auto thread = Thread::create({.name = "short"}, [](void*) {}, nullptr);
        CHECK(thread);
        (*thread)->start();
        (void)(*thread)->join();
    });
}

}  // namespace
}  // namespace tutti::sched
