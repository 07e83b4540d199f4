// SPDX-License-Identifier: BSD-3-Clause
// Our RCU, lists over it, switches and wake-ups.
#include <algorithm>

#include "base/assert.hpp"
#include "contest.hpp"
#include "sched/park.hpp"
#include "sched/thread.hpp"
#include "smp/lockfree/ordered_set.hpp"
#include "smp/rcu/rcu.hpp"

namespace tutti::bench {
namespace {

using namespace tutti::smp;

// --- read sections and grace periods --------------------------------------------------------------------------------

struct Object {
    u64 value = 1;
};
constinit Object object;
constinit std::atomic<Object*> shared_object{&object};

// consume, as rcu_dereference(): ordered by the dependency.
ALWAYS_INLINE void read_object() { asm volatile("" ::"r"(shared_object.load(std::memory_order_acquire)->value)); }

void read_guarded(Worker& worker) {
    repeat<64>(worker, [] {
        rcu::ReadGuard const reading;
        read_object();
    });
}
// Where preemption is off already (a spin lock is held, an interrupt is handled) a read section costs nothing more.
void read_on_rung(Worker& worker) {
    PreemptGuard const here;
    repeat<64>(worker, [] { read_object(); });
}
// Thread 0 waits for grace periods, the other reads and passes through quiescent states.
void synchronize(Worker& worker) {
    if (worker.index == 0) {
        repeat<1>(worker, [] { rcu::synchronize(); });
        return;
    }
    Worker own{.stop = worker.stop};
    repeat(own, [] {
        {
            rcu::ReadGuard const reading;
            read_object();
        }
        rcu::quiescent_point();
    });
    worker.count = 0;
}

// --- an ordered list of 128 keys -------------------------------------------------------------------------------------

struct Thing {
    OrderedNode node;
    u64 key;
    rcu::Callback reclaim;
};
constinit OrderedSet<Thing, &Thing::node, &Thing::key> list;

void free_thing(rcu::Callback& callback) { delete object_of(&callback, &Thing::reclaim); }
void insert(u64 key, NoPreempt const& here) {
    auto* const thing = new (std::nothrow) Thing{.node = {}, .key = key, .reclaim = {}};
    CHECK(thing != nullptr);
    if (list.insert(*thing, here) != nullptr) delete thing;
}
void remove(u64 key, NoPreempt const& here) {
    if (Thing* const thing = list.remove(key, here)) rcu::defer(thing->reclaim, free_thing);
}
void make_list() {
    rcu::ReadGuard const reading;
    for (u64 key = 0; key < kListKeys; ++key) insert(key * 2, reading);
}
void drop_list() {
    {
        rcu::ReadGuard const reading;
        for (u64 key = 0; key < 2 * kListKeys; ++key) remove(key, reading);
    }
    rcu::barrier();
}
void look_up(Worker& worker) {
    Random random{worker.index * 977 + 1};
    repeat(worker, [&] {
        rcu::ReadGuard const reading;
        asm volatile("" ::"r"(list.find(random.next() % kListKeys * 2, reading)));
    });
}
void mix(Worker& worker) {
    Random random{worker.index * 977 + 1};
    repeat(worker, [&] {
        u64 const draw = random.next();
        u64 const key = draw % (2 * kListKeys);
        u64 const what = (draw >> 32) % 10;
        rcu::ReadGuard const reading;
        if (what < 8)
            asm volatile("" ::"r"(list.find(key, reading)));
        else if (what == 8)
            insert(key, reading);
        else
            remove(key, reading);
    });
}

// --- switches and wake-ups --------------------------------------------------------------------------------------------

// Two threads on one CPU that yield to each other; each return of yield() is two switches. They run the same loop: the
// processor predicts where a switch returns to, as it does the peer's jumps.
NOINLINE void yield_until_stop(Worker& worker) {
    repeat<1>(worker, [] { sched::yield(); });
}
void switch_threads(Worker& worker) {
    Worker other{.stop = worker.stop};
    auto thread = sched::Thread::create(
        {.name = "other", .affinity = &sched::current().affinity()},
        [](void* argument) { yield_until_stop(*static_cast<Worker*>(argument)); }, &other);
    CHECK(thread);
    (*thread)->start();
    yield_until_stop(worker);
    (void)(*thread)->join();
    // What was not a switch there and back was not counted by the other.
    worker.count = 2 * std::min(worker.count, other.count);
}

struct alignas(128) Ball {
    std::atomic<u64> turn{0};
    std::atomic<sched::Thread*> player[2]{};
};
constinit Ball ball;
void reset_ball() { ball.turn.store(0, std::memory_order_relaxed); }
void wake(sched::Thread& thread) {
    smp::WakePath const path;
    thread.unpark();
}
// Each wakes the other, on the other CPU, and goes to sleep; the other CPU has nothing else and polls.
void wake_each_other(Worker& worker) {
    ball.player[worker.index].store(&sched::current(), std::memory_order_release);
    sched::Thread* other = nullptr;
    while ((other = ball.player[1 - worker.index].load(std::memory_order_acquire)) == nullptr) arch::pause();
    u64 passes = 0;
    while (!worker.stop->load(std::memory_order_relaxed)) {
        (void)sched::park_until([&] {
            return ball.turn.load(std::memory_order_acquire) % 2 == worker.index ||
                   worker.stop->load(std::memory_order_relaxed);
        });
        ball.turn.fetch_add(1, std::memory_order_release);
        wake(*other);
        ++passes;
    }
    wake(*other);
    worker.count = passes;
}

constexpr Contestant ours(char const* contest, char const* name, void (*run)(Worker&), void (*set_up)() = nullptr,
                          void (*tear_down)() = nullptr) {
    return {.contest = contest, .name = name, .side = Side::Ours, .run = run, .set_up = set_up, .tear_down = tear_down};
}

Entry entries[] = {
    Entry{ours("rcu read", "rcu::ReadGuard", read_guarded)},
    Entry{ours("rcu read", "NoPreempt held already", read_on_rung)},
    Entry{ours("rcu synchronize", "rcu::synchronize", synchronize)},
    Entry{ours("list lookup", "OrderedSet", look_up, make_list, drop_list)},
    Entry{ours("list 80/10/10", "OrderedSet", mix, make_list, drop_list)},
    Entry{ours("switch", "sched::yield", switch_threads)},
    Entry{ours("wake-up", "Thread::unpark", wake_each_other, reset_ball)},
};

}  // namespace
}  // namespace tutti::bench
