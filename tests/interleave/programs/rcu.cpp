// SPDX-License-Identifier: BSD-3-Clause
// The grace periods of RCU: nobody reads what has been freed.
#include "smp/rcu/grace_period.hpp"

#include "arch/cpu.hpp"
#include "engine/interleave.hpp"

namespace tutti::interleave {

namespace {

using smp::rcu::GracePeriods;
using smp::rcu::QuiescentWord;
using smp::rcu::Ticket;

// A pointer that readers follow. The object is freed by delete, so that a late reader is a use after free.
struct World {
    GracePeriods periods;
    QuiescentWord words[3];
    std::atomic<int*> slot{nullptr};

    void read() {
        // The release of the store and this acquire publish the object (rcu_dereference).
        if (int const* const object = slot.load(std::memory_order_acquire)) REQUIRE(*object == 7);
    }
    void wait(Ticket ticket, u32 cpus, u32 self) {
        u32 cursor = 0;
        while (true) {
            if (self < cpus) periods.quiescent(words[self]);
            if (periods.look(ticket, cursor, cpus, [&](u32 cpu) -> QuiescentWord& { return words[cpu]; })) return;
            arch::pause();
        }
    }
    void replace(int* fresh, u32 cpus, u32 self) {
        int* const old = slot.exchange(fresh, std::memory_order_release);
        wait(periods.start(), cpus, self);
        delete old;
    }
};

}  // namespace

// A CPU that reads, comes by, reads again.
INTERLEAVE(rcu_reader_and_remover, {.preemptions = 4}) {
    World world;
    world.slot.store(new int{7}, std::memory_order_relaxed);
    for (auto& word : world.words) world.periods.leave_extended(word);
    auto const reader = [&] {
        world.read();
        world.periods.quiescent(world.words[0]);
        world.read();
        world.periods.enter_extended(world.words[0]);
    };
    auto const writer = [&] { world.replace(nullptr, 2, 1); };
    run_on_cpus(reader, writer);
}
// A CPU that halts and comes back: its reads begin after the fence in leave_extended().
INTERLEAVE(rcu_halted_cpu_comes_back, {.preemptions = 4}) {
    World world;
    world.slot.store(new int{7}, std::memory_order_relaxed);
    world.periods.leave_extended(world.words[1]);
    auto const reader = [&] {
        for (int i = 0; i < 2; ++i) {
            world.periods.leave_extended(world.words[0]);
            world.read();
            world.periods.enter_extended(world.words[0]);
        }
    };
    auto const writer = [&] { world.replace(new int{7}, 2, 1); };
    run_on_cpus(reader, writer);
    delete world.slot.load(std::memory_order_relaxed);
}
// Two who wait at the same time: one's end ends the other's.
INTERLEAVE(rcu_two_removers, {.preemptions = 1}) {
    World world;
    std::atomic<int*> other{new int{7}};
    world.slot.store(new int{7}, std::memory_order_relaxed);
    for (auto& word : world.words) world.periods.leave_extended(word);
    auto const reader = [&] {
        world.read();
        if (int const* const object = other.load(std::memory_order_acquire)) REQUIRE(*object == 7);
        world.periods.enter_extended(world.words[0]);
    };
    auto const first = [&] {
        world.replace(nullptr, 3, 1);
        world.periods.enter_extended(world.words[1]);
    };
    auto const second = [&] {
        int* const old = other.exchange(nullptr, std::memory_order_release);
        world.wait(world.periods.start(), 3, 2);
        delete old;
        world.periods.enter_extended(world.words[2]);
    };
    run_on_cpus(reader, first, second);
}

}  // namespace tutti::interleave
