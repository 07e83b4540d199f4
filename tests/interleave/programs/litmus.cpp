// SPDX-License-Identifier: BSD-3-Clause
// The checker's own tests: small programs whose outcomes C++20 fixes. Each explores every schedule and compares the
// set of outcomes with what the standard allows. An outcome is 1, followed by the values that were read.
#include <atomic>

#include "engine/interleave.hpp"

namespace {

using namespace tutti::interleave;
using std::memory_order_acq_rel, std::memory_order_acquire, std::memory_order_relaxed, std::memory_order_release,
    std::memory_order_seq_cst;

constexpr auto rlx = memory_order_relaxed;
constexpr auto acq = memory_order_acquire;
constexpr auto rel = memory_order_release;
constexpr auto sc = memory_order_seq_cst;

void result(unsigned a, unsigned b) { outcome(100 + 10 * a + b); }
void result(unsigned a, unsigned b, unsigned c, unsigned d) { outcome(10000 + 1000 * a + 100 * b + 10 * c + d); }

// Store buffering.
template <std::memory_order Write, std::memory_order Read>
void store_buffering() {
    std::atomic<unsigned> x{0}, y{0};
    unsigned a = 0, b = 0;
    auto one = [&] { x.store(1, Write); a = y.load(Read); };
    auto two = [&] { y.store(1, Write); b = x.load(Read); };
    run_on_cpus(one, two);
    result(a, b);
}
INTERLEAVE(sb_relaxed, {.preemptions = 9, .outcomes = {100, 101, 110, 111}}) { store_buffering<rlx, rlx>(); }
INTERLEAVE(sb_release_acquire, {.preemptions = 9, .outcomes = {100, 101, 110, 111}}) { store_buffering<rel, acq>(); }
INTERLEAVE(sb_seq_cst, {.preemptions = 9, .outcomes = {101, 110, 111}}) { store_buffering<sc, sc>(); }
INTERLEAVE(sb_sc_stores_acquire_loads, {.preemptions = 9, .outcomes = {100, 101, 110, 111}}) { store_buffering<sc, acq>(); }
INTERLEAVE(sb_release_stores_sc_loads, {.preemptions = 9, .outcomes = {100, 101, 110, 111}}) { store_buffering<rel, sc>(); }

template <std::memory_order First, std::memory_order Second>
void store_buffering_fences() {
    std::atomic<unsigned> x{0}, y{0};
    unsigned a = 0, b = 0;
    auto one = [&] { x.store(1, rlx); std::atomic_thread_fence(First); a = y.load(rlx); };
    auto two = [&] { y.store(1, rlx); std::atomic_thread_fence(Second); b = x.load(rlx); };
    run_on_cpus(one, two);
    result(a, b);
}
INTERLEAVE(sb_sc_fences, {.preemptions = 9, .outcomes = {101, 110, 111}}) { store_buffering_fences<sc, sc>(); }
INTERLEAVE(sb_one_sc_fence, {.preemptions = 9, .outcomes = {100, 101, 110, 111}}) { store_buffering_fences<sc, memory_order_acq_rel>(); }

// An SC fence on one side, SC accesses on the other.
INTERLEAVE(sb_fence_and_sc, {.preemptions = 9, .outcomes = {101, 110, 111}}) {
    std::atomic<unsigned> x{0}, y{0};
    unsigned a = 0, b = 0;
    auto one = [&] { x.store(1, rlx); std::atomic_thread_fence(sc); a = y.load(rlx); };
    auto two = [&] { y.store(1, sc); b = x.load(sc); };
    run_on_cpus(one, two);
    result(a, b);
}
// Dekker by read-modify-writes of the other's word: an exchange reads the last store.
INTERLEAVE(sb_exchange, {.preemptions = 9, .outcomes = {101, 110, 111}}) {
    std::atomic<unsigned> x{0}, y{0};
    unsigned a = 0, b = 0;
    auto one = [&] { x.store(1, sc); a = y.fetch_add(0, sc); };
    auto two = [&] { y.store(1, sc); b = x.fetch_add(0, sc); };
    run_on_cpus(one, two);
    result(a, b);
}

// Message passing.
template <std::memory_order Write, std::memory_order Read>
void message_passing() {
    std::atomic<unsigned> data{0}, flag{0};
    unsigned a = 0, b = 0;
    auto one = [&] { data.store(1, rlx); flag.store(1, Write); };
    auto two = [&] { a = flag.load(Read); b = data.load(rlx); };
    run_on_cpus(one, two);
    result(a, b);
}
INTERLEAVE(mp_relaxed, {.preemptions = 9, .outcomes = {100, 101, 110, 111}}) { message_passing<rlx, rlx>(); }
INTERLEAVE(mp_release_acquire, {.preemptions = 9, .outcomes = {100, 101, 111}}) { message_passing<rel, acq>(); }
INTERLEAVE(mp_release_relaxed, {.preemptions = 9, .outcomes = {100, 101, 110, 111}}) { message_passing<rel, rlx>(); }
INTERLEAVE(mp_relaxed_acquire, {.preemptions = 9, .outcomes = {100, 101, 110, 111}}) { message_passing<rlx, acq>(); }
INTERLEAVE(mp_fences, {.preemptions = 9, .outcomes = {100, 101, 111}}) {
    std::atomic<unsigned> data{0}, flag{0};
    unsigned a = 0, b = 0;
    auto one = [&] { data.store(1, rlx); std::atomic_thread_fence(rel); flag.store(1, rlx); };
    auto two = [&] { a = flag.load(rlx); std::atomic_thread_fence(acq); b = data.load(rlx); };
    run_on_cpus(one, two);
    result(a, b);
}
INTERLEAVE(mp_release_fence_only, {.preemptions = 9, .outcomes = {100, 101, 110, 111}}) {
    std::atomic<unsigned> data{0}, flag{0};
    unsigned a = 0, b = 0;
    auto one = [&] { data.store(1, rlx); std::atomic_thread_fence(rel); flag.store(1, rlx); };
    auto two = [&] { a = flag.load(rlx); b = data.load(rlx); };
    run_on_cpus(one, two);
    result(a, b);
}

// A release sequence goes on through read-modify-writes of any order, and ends at another thread's plain store.
INTERLEAVE(release_sequence_rmw, {.preemptions = 9, .outcomes = {100, 101, 110, 111, 121}}) {
    std::atomic<unsigned> data{0}, flag{0};
    unsigned a = 0, b = 0;
    auto one = [&] { data.store(1, rlx); flag.store(1, rel); };
    auto two = [&] { flag.fetch_add(1, rlx); };
    auto three = [&] { a = flag.load(acq); b = data.load(rlx); };
    run_on_cpus(one, two, three);
    // 1 without the data: the change of 0, before the release store.
    result(a, b);
}
INTERLEAVE(release_sequence_kept, {.preemptions = 9, .outcomes = {100, 101, 111, 121}}) {
    std::atomic<unsigned> data{0}, flag{0};
    unsigned a = 0, b = 0;
    auto one = [&] { data.store(1, rlx); flag.store(1, rel); };
    auto two = [&] { unsigned expected = 1; flag.compare_exchange_strong(expected, 2, rlx); };
    auto three = [&] { a = flag.load(acq); b = data.load(rlx); };
    run_on_cpus(one, two, three);
    result(a, b);
}
INTERLEAVE(release_sequence_broken, {.preemptions = 9, .outcomes = {100, 101, 111, 120, 121}}) {
    std::atomic<unsigned> data{0}, flag{0};
    unsigned a = 0, b = 0;
    auto one = [&] { data.store(1, rlx); flag.store(1, rel); };
    auto two = [&] { if (flag.load(rlx) == 1) flag.store(2, rlx); };
    auto three = [&] { a = flag.load(acq); b = data.load(rlx); };
    run_on_cpus(one, two, three);
    result(a, b);
}

// Load buffering: C++20 allows 111 with relaxed orders; a checker that runs operations in program order does not show it.
INTERLEAVE(lb_not_explored, {.preemptions = 9, .outcomes = {100, 101, 110}}) {
    std::atomic<unsigned> x{0}, y{0};
    unsigned a = 0, b = 0;
    auto one = [&] { a = x.load(rlx); y.store(1, rlx); };
    auto two = [&] { b = y.load(rlx); x.store(1, rlx); };
    run_on_cpus(one, two);
    result(a, b);
}

// Two readers of one location agree on its order; 2 before 1 only if the stores are in that order.
INTERLEAVE(coherence_read_read, {.preemptions = 9, .outcomes = {10000, 10001, 10011, 10100, 10101, 10111, 11100, 11101, 11111}}) {
    std::atomic<unsigned> x{0};
    unsigned r[4] = {};
    auto one = [&] { x.store(1, rlx); };
    auto two = [&] { r[0] = x.load(rlx); r[1] = x.load(rlx); };
    auto three = [&] { r[2] = x.load(rlx); r[3] = x.load(rlx); };
    run_on_cpus(one, two, three);
    result(r[0], r[1], r[2], r[3]);
}
INTERLEAVE(coherence_order_of_stores, {.preemptions = 9}) {
    std::atomic<unsigned> x{0};
    unsigned r[4] = {};
    auto one = [&] { x.store(1, rlx); };
    auto two = [&] { x.store(2, rlx); };
    auto three = [&] { r[0] = x.load(rlx); r[1] = x.load(rlx); };
    auto four = [&] { r[2] = x.load(rlx); r[3] = x.load(rlx); };
    run_on_cpus(one, two, three, four);
    REQUIRE(!(r[0] == 1 && r[1] == 2 && r[2] == 2 && r[3] == 1));
    REQUIRE(!(r[0] == 2 && r[1] == 1 && r[2] == 1 && r[3] == 2));
}

// Independent reads of independent writes: the third digit pair of 1 0 1 0 means that the readers disagree.
template <std::memory_order Write, std::memory_order Read>
bool readers_disagree() {
    std::atomic<unsigned> x{0}, y{0};
    unsigned r[4] = {};
    auto one = [&] { x.store(1, Write); };
    auto two = [&] { y.store(1, Write); };
    auto three = [&] { r[0] = x.load(Read); r[1] = y.load(Read); };
    auto four = [&] { r[2] = y.load(Read); r[3] = x.load(Read); };
    run_on_cpus(one, two, three, four);
    return r[0] == 1 && r[1] == 0 && r[2] == 1 && r[3] == 0;
}
INTERLEAVE(iriw_acquire, {.preemptions = 9, .outcomes = {1, 2}}) { outcome(readers_disagree<rel, acq>() ? 2 : 1); }
INTERLEAVE(iriw_seq_cst, {.preemptions = 9, .outcomes = {1}}) { outcome(readers_disagree<sc, sc>() ? 2 : 1); }
INTERLEAVE(iriw_sc_loads, {.preemptions = 9, .outcomes = {1}}) { outcome(readers_disagree<rlx, sc>() ? 2 : 1); }
INTERLEAVE(iriw_sc_fences, {.preemptions = 9, .outcomes = {1}}) {
    std::atomic<unsigned> x{0}, y{0};
    unsigned r[4] = {};
    auto one = [&] { x.store(1, rlx); };
    auto two = [&] { y.store(1, rlx); };
    auto three = [&] { r[0] = x.load(rlx); std::atomic_thread_fence(sc); r[1] = y.load(rlx); };
    auto four = [&] { r[2] = y.load(rlx); std::atomic_thread_fence(sc); r[3] = x.load(rlx); };
    run_on_cpus(one, two, three, four);
    outcome(r[0] == 1 && r[1] == 0 && r[2] == 1 && r[3] == 0 ? 2 : 1);
}

// 2+2W: both locations end with the value of the thread that wrote them first. Needs a modification order that is not the
// order of execution.
template <std::memory_order Write>
void two_plus_two_writes() {
    std::atomic<unsigned> x{0}, y{0};
    auto one = [&] { x.store(1, Write); y.store(2, Write); };
    auto two = [&] { y.store(1, Write); x.store(2, Write); };
    run_on_cpus(one, two);
    result(x.load(rlx), y.load(rlx));
}
INTERLEAVE(two_plus_two_writes_relaxed, {.preemptions = 9, .outcomes = {111, 112, 121, 122}}) { two_plus_two_writes<rlx>(); }
INTERLEAVE(two_plus_two_writes_seq_cst, {.preemptions = 9, .outcomes = {112, 121, 122}}) { two_plus_two_writes<sc>(); }

// Write-to-read causality goes through a third thread.
INTERLEAVE(causality, {.preemptions = 9, .outcomes = {100, 101, 111}}) {
    std::atomic<unsigned> x{0}, y{0};
    unsigned a = 0, b = 0;
    auto one = [&] { x.store(1, rel); };
    auto two = [&] { if (x.load(acq) == 1) y.store(1, rel); };
    auto three = [&] { a = y.load(acq); b = x.load(rlx); };
    run_on_cpus(one, two, three);
    result(a, b);
}

// Parts of one word: a store of a byte leaves the others alone, and publishes only itself.
INTERLEAVE(mixed_sizes, {.preemptions = 9, .outcomes = {1}}) {
    std::atomic<unsigned> word{0x100};
    int data = 0;
    auto one = [&] {
        data = 1;
        __atomic_store_n(reinterpret_cast<unsigned char*>(&word), 1, __ATOMIC_RELEASE);
    };
    auto two = [&] { word.fetch_add(0x100, rlx); };
    auto three = [&] {
        if ((word.load(acq) & 0xff) == 1) REQUIRE(data == 1);
    };
    run_on_cpus(one, two, three);
    REQUIRE(word.load(rlx) == 0x201);
    outcome(1);
}

}  // namespace
