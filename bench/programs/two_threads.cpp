// SPDX-License-Identifier: BSD-3-Clause
#include "two_threads.hpp"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

namespace bench {
namespace {

void pin(int cpu) {
    if (cpu < 0) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(cpu), &set);
    if (::sched_setaffinity(0, sizeof set, &set) != 0) std::perror("sched_setaffinity");
}

// A word per direction, so that each side waits on its own.
struct alignas(64) Turn {
    std::atomic<std::uint32_t> word{0};

    void give() {
        word.store(1, std::memory_order_release);  // pairs with the exchange in take()
        ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    }
    void take() {
        while (word.exchange(0, std::memory_order_acquire) == 0) {
            ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
        }
    }
};

void move_byte(int from, int to, bool write_first) {
    char byte = 0;
    if (write_first && ::write(to, &byte, 1) != 1) std::abort();
    if (::read(from, &byte, 1) != 1) std::abort();
    if (!write_first && ::write(to, &byte, 1) != 1) std::abort();
}

}  // namespace

void TwoThreads::run(long count, std::function<void()> const& first, std::function<void()> const& second) {
    cpu_set_t before;
    ::sched_getaffinity(0, sizeof before, &before);
    pin(first_cpu_);
    std::thread other([&] {
        pin(second_cpu_);
        for (long i = 0; i < count; ++i) second();
    });
    for (long i = 0; i < count; ++i) first();
    other.join();
    ::sched_setaffinity(0, sizeof before, &before);
}

void TwoThreads::futex_ping_pong(long count) {
    Turn there;
    Turn back;
    run(count, [&] { there.give(); back.take(); }, [&] { there.take(); back.give(); });
}

void TwoThreads::pipe_ping_pong(long count) {
    int there[2];
    int back[2];
    if (::pipe(there) != 0 || ::pipe(back) != 0) std::abort();
    run(count, [&] { move_byte(back[0], there[1], true); }, [&] { move_byte(there[0], back[1], false); });
    for (int end : {there[0], there[1], back[0], back[1]}) ::close(end);
}

// Each thread gives the CPU away until it is its turn: with both on one CPU, one yield a turn.
void TwoThreads::yield_ping_pong(long count) {
    std::atomic<bool> second_turn{false};
    auto const wait_for = [&](bool wanted) {
        while (second_turn.load(std::memory_order_acquire) != wanted) ::sched_yield();  // pairs with the stores
    };
    run(
        count, [&] { second_turn.store(true, std::memory_order_release); wait_for(false); },
        [&] { wait_for(true); second_turn.store(false, std::memory_order_release); });
}

}  // namespace bench
