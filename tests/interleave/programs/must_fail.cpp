// SPDX-License-Identifier: BSD-3-Clause
// Programs that are wrong, each in one way that the checker has to find and name.
#include <atomic>

#include "arch/cpu.hpp"
#include "engine/interleave.hpp"

namespace tutti::interleave {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;

struct Spin {
    std::atomic<bool> taken{false};
    void lock() {
        while (taken.exchange(true, acquire)) arch::pause();
    }
    void unlock() { taken.store(false, release); }
};

INTERLEAVE(race_on_plain_data, {.must_fail = "data race"}) {
    int data = 0;
    auto const work = [&] { ++data; };
    run_on_cpus(work, work);
}
INTERLEAVE(race_of_plain_and_atomic, {.must_fail = "data race"}) {
    std::atomic<int> value{0};
    auto const one = [&] { value.store(1, relaxed); };
    auto const two = [&] { *reinterpret_cast<int*>(&value) = 2; };
    run_on_cpus(one, two);
}
INTERLEAVE(publication_without_release, {.must_fail = "data race"}) {
    int data = 0;
    std::atomic<bool> ready{false};
    auto const one = [&] {
        data = 1;
        ready.store(true, relaxed);
    };
    auto const two = [&] {
        if (ready.load(acquire)) REQUIRE(data == 1);
    };
    run_on_cpus(one, two);
}
INTERLEAVE(locks_in_both_orders, {.must_fail = "deadlock"}) {
    Spin a, b;
    auto const one = [&] {
        a.lock();
        b.lock();
        b.unlock();
        a.unlock();
    };
    auto const two = [&] {
        b.lock();
        a.lock();
        a.unlock();
        b.unlock();
    };
    run_on_cpus(one, two);
}
INTERLEAVE(lock_taken_by_an_interrupt_over_its_holder, {.must_fail = "deadlock"}) {
    static Spin lock;
    raise_interrupt(0, [] {
        lock.lock();
        lock.unlock();
    });
    auto const one = [&] {
        lock.lock();
        lock.unlock();
    };
    auto const two = [] {};
    run_on_cpus(one, two);
}
INTERLEAVE(sleep_after_a_look_that_is_too_old, {.must_fail = "lost wake-up"}) {
    std::atomic<bool> sleeping{false}, ready{false};
    auto const waker = [&] {
        ready.store(true, release);
        if (sleeping.load(acquire)) wake(1);
    };
    auto const waiter = [&] {
        sleeping.store(true, release);
        if (!ready.load(acquire)) sleep();
    };
    run_on_cpus(waker, waiter);
}
INTERLEAVE(each_waits_for_the_other_to_step_back, {.steps = 300, .must_fail = "livelock"}) {
    std::atomic<unsigned> x{0}, y{0};
    auto const one = [&] {
        while (true) {
            x.fetch_add(1, relaxed);
            if (y.load(relaxed) == 77) break;
        }
    };
    auto const two = [&] { y.fetch_add(1, relaxed); };
    run_on_cpus(one, two);
}
INTERLEAVE(read_after_delete, {.must_fail = "use after free"}) {
    std::atomic<int*> shared{new int{1}};
    auto const one = [&] { delete shared.exchange(nullptr, std::memory_order_acq_rel); };
    auto const two = [&] {
        if (int* const value = shared.load(acquire)) REQUIRE(*value == 1);
    };
    run_on_cpus(one, two);
}
INTERLEAVE(word_on_a_stack_that_is_gone, {.must_fail = "use after return"}) {
    std::atomic<std::atomic<int>*> shared{nullptr};
    auto const one = [&] {
        std::atomic<int> local{0};
        shared.store(&local, release);
    };
    auto const two = [&] {
        if (auto* const word = shared.load(acquire)) word->store(1, relaxed);
    };
    run_on_cpus(one, two);
}
INTERLEAVE(counter_without_read_modify_write, {.must_fail = "requirement"}) {
    std::atomic<int> counter{0};
    auto const work = [&] { counter.store(counter.load(relaxed) + 1, relaxed); };
    run_on_cpus(work, work);
    REQUIRE(counter.load(relaxed) == 2);
}
// The handler runs between the load and the store of what should have been one instruction.
INTERLEAVE(interrupt_in_the_middle, {.must_fail = "requirement"}) {
    static std::atomic<int> counter;
    raise_interrupt(0, [] { counter.store(counter.load(relaxed) + 1, relaxed); });
    auto const one = [&] { counter.store(counter.load(relaxed) + 1, relaxed); };
    auto const two = [] {};
    run_on_cpus(one, two);
    REQUIRE(counter.load(relaxed) == 2);
}
// The same by random schedules: they are found, and replayed, as well.
INTERLEAVE(sampled_race, {.samples = 1000, .must_fail = "data race"}) {
    int data = 0;
    auto const work = [&] { ++data; };
    run_on_cpus(work, work);
}
INTERLEAVE(sampled_lost_wake_up, {.samples = 1000, .must_fail = "lost wake-up"}) {
    std::atomic<bool> sleeping{false}, ready{false};
    auto const waker = [&] {
        ready.store(true, release);
        if (sleeping.load(acquire)) wake(1);
    };
    auto const waiter = [&] {
        sleeping.store(true, release);
        if (!ready.load(acquire)) sleep();
    };
    run_on_cpus(waker, waiter);
}

}  // namespace
}  // namespace tutti::interleave
