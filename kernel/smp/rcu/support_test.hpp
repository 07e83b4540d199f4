// SPDX-License-Identifier: BSD-3-Clause
// For the tests of this folder: helper threads, and objects that show whether they were reclaimed too early.
#pragma once

#include "base/vector.hpp"
#include "harness/test.hpp"
#include "sched/thread.hpp"
#include "smp/rcu/rcu.hpp"

namespace tutti::smp::rcu::test {

// Threads that run function(argument, index), on one CPU each (index modulo CPUs) if pinned, until joined.
class Threads {
  public:
    using Function = void (*)(void* argument, u32 index);
    Threads(u32 count, bool pinned, Function function, void* argument) {
        CHECK(runs_.try_resize(count) && threads_.try_reserve(count));
        for (u32 i = 0; i < count; ++i) {
            runs_[i] = {function, argument, i};
            Result<CpuSet> set = CpuSet::create(cpu_count());
            CHECK(set);
            set->add(CpuId{i % online_count()});
            auto thread = sched::Thread::create({.name = "rcu test", .affinity = pinned ? &*set : nullptr},
                                                [](void* run) {
                                                    Run const& r = *static_cast<Run const*>(run);
                                                    r.function(r.argument, r.index);
                                                },
                                                &runs_[i]);
            CHECK(thread, "no memory for a test's thread");
            CHECK(threads_.try_push_back(std::move(*thread)));
        }
        for (auto& thread : threads_) thread->start();
    }
    ~Threads() { join(); }
    void join() {
        for (auto& thread : threads_) (void)thread->join();
    }

  private:
    struct Run {
        Function function;
        void* argument;
        u32 index;
    };
    Vector<Run> runs_;
    Vector<Ref<sched::Thread>> threads_;
};

// Alive until reclaimed; a reader that finds anything else has been betrayed. The memory is the test's own, so that a look
// at a reclaimed object is a wrong value and not a fault.
struct Marked {
    static constexpr u64 kAlive = 0xa11fe;
    static constexpr u64 kDead = 0xdead;
    std::atomic<u64> mark{kDead};
    Callback callback;
    u64 value = 0;

    // relaxed: RCU orders them.
    [[nodiscard]] bool is_alive() const { return mark.load(std::memory_order_relaxed) == kAlive; }
    void revive() { mark.store(kAlive, std::memory_order_relaxed); }
    void kill() { mark.store(kDead, std::memory_order_relaxed); }
};

}  // namespace tutti::smp::rcu::test
