// SPDX-License-Identifier: BSD-3-Clause
// Userspace RCU (the quiescent-state flavour), libcds's lists over RCU, Boost's bare switch of stacks, and the time that a
// cache line takes from one processor to another.
#define _LGPL_SOURCE  // read sections inlined, as programs that may do so have them
#include <urcu-qsbr.h>

#include <boost/context/detail/fcontext.hpp>
// libcds wants its flavour of RCU before its containers.
#include <cds/init.h>
#include <cds/urcu/general_buffered.h>

#include <cds/container/michael_list_rcu.h>

#include <memory>

#include "contest.hpp"

namespace tutti::bench {
namespace {

// --- read sections and grace periods --------------------------------------------------------------------------------

struct Object {
    std::uint64_t value = 1;
};
Object object;
Object* shared_object = &object;

void read_qsbr(Worker& worker) {
    rcu_register_thread();
    repeat<64>(worker, [] {
        rcu_read_lock();
        asm volatile("" ::"r"(rcu_dereference(shared_object)->value));
        rcu_read_unlock();
    });
    rcu_unregister_thread();
}

// Thread 0 waits for grace periods, the other reads and passes through quiescent states.
void synchronize_qsbr(Worker& worker) {
    rcu_register_thread();
    if (worker.index == 0) {
        repeat<1>(worker, [] { synchronize_rcu(); });
    } else {
        Worker own{.stop = worker.stop};
        repeat(own, [] {
            rcu_read_lock();
            asm volatile("" ::"r"(rcu_dereference(shared_object)->value));
            rcu_read_unlock();
            rcu_quiescent_state();
        });
        worker.count = 0;
    }
    rcu_unregister_thread();
}

// --- an ordered list of 128 keys -------------------------------------------------------------------------------------

using Rcu = cds::urcu::gc<cds::urcu::general_buffered<>>;
struct Traits : cds::container::michael_list::traits {
    using less = std::less<std::uint64_t>;
};
using List = cds::container::MichaelList<Rcu, std::uint64_t, Traits>;
std::unique_ptr<List> list;

void make_list() {
    static bool const initialized = [] {
        cds::Initialize();
        static Rcu rcu;
        return true;
    }();
    (void)initialized;
    cds::threading::Manager::attachThread();
    list = std::make_unique<List>();
    // Every other key of twice as many: an update finds its key present as often as not.
    for (std::uint64_t key = 0; key < kListKeys; ++key) list->insert(key * 2);
    cds::threading::Manager::detachThread();
}
void drop_list() {
    cds::threading::Manager::attachThread();
    list.reset();
    cds::threading::Manager::detachThread();
}
void look_up(Worker& worker) {
    cds::threading::Manager::attachThread();
    Random random{worker.index * 977 + 1};
    repeat(worker, [&] { asm volatile("" ::"r"(list->contains(random.next() % kListKeys * 2))); });
    cds::threading::Manager::detachThread();
}
void mix(Worker& worker) {
    cds::threading::Manager::attachThread();
    Random random{worker.index * 977 + 1};
    repeat(worker, [&] {
        std::uint64_t const draw = random.next();
        std::uint64_t const key = draw % (2 * kListKeys);
        std::uint64_t const what = (draw >> 32) % 10;
        if (what < 8)
            asm volatile("" ::"r"(list->contains(key)));
        else if (what == 8)
            list->insert(key);
        else
            list->erase(key);
    });
    cds::threading::Manager::detachThread();
}

// --- switches and cache lines ---------------------------------------------------------------------------------------

void bounce(boost::context::detail::transfer_t from) {
    while (true) from = boost::context::detail::jump_fcontext(from.fctx, nullptr);
}
void switch_stacks(Worker& worker) {
    constexpr std::size_t kStack = 64 << 10;
    auto const memory = std::make_unique<char[]>(kStack);
    boost::context::detail::fcontext_t other = boost::context::detail::make_fcontext(memory.get() + kStack, kStack, bounce);
    // There and back: two switches.
    repeat<8>(worker, [&] { other = boost::context::detail::jump_fcontext(other, nullptr).fctx; });
    worker.count *= 2;
}

// One thread stores odd numbers and waits for even ones, the other the reverse. Two transfers for each count.
struct alignas(128) Ball {
    std::atomic<std::uint64_t> turn{0};
} ball;
void reset_ball() { ball.turn.store(0, std::memory_order_relaxed); }
void pass_line(Worker& worker) {
    std::uint64_t passes = 0;
    while (!worker.stop->load(std::memory_order_relaxed)) {
        std::uint64_t const turn = ball.turn.load(std::memory_order_acquire);
        if (turn % 2 != worker.index) continue;
        ball.turn.store(turn + 1, std::memory_order_release);
        ++passes;
    }
    worker.count = passes;
}

Entry entries[] = {
    Entry{{.contest = "rcu read", .name = "urcu-qsbr", .side = Side::Peer, .run = read_qsbr}},
    Entry{{.contest = "rcu synchronize", .name = "urcu-qsbr", .side = Side::Peer, .run = synchronize_qsbr}},
    Entry{{.contest = "list lookup", .name = "libcds Michael/URCU", .side = Side::Peer, .run = look_up, .set_up = make_list, .tear_down = drop_list}},
    Entry{{.contest = "list 80/10/10", .name = "libcds Michael/URCU", .side = Side::Peer, .run = mix, .set_up = make_list, .tear_down = drop_list}},
    Entry{{.contest = "switch", .name = "Boost fcontext", .side = Side::Peer, .run = switch_stacks}},
    Entry{{.contest = "wake-up", .name = "cache line transfer", .side = Side::Peer, .run = pass_line, .set_up = reset_ball}},
};

}  // namespace
}  // namespace tutti::bench
