// SPDX-License-Identifier: BSD-3-Clause
// What every lock has to do: keep others out, and hand on what was written inside.
#pragma once

#include "engine/interleave.hpp"
#include "smp/context/context.hpp"

namespace tutti::interleave {

// Plain data, so that two at once are a data race, and what one has written and the next does not see as well.
struct Guarded {
    int value = 0;
    int inside = 0;

    void change() {
        ++inside;
        REQUIRE(inside == 1);
        ++value;
        --inside;
    }
};

template <class Lock>
void exclude_twice(Lock& lock, unsigned rounds) {
    Guarded data;
    auto const work = [&] {
        for (unsigned i = 0; i < rounds; ++i) {
            lock.lock();
            data.change();
            lock.unlock();
        }
    };
    run_on_cpus(work, work);
    REQUIRE(data.value == static_cast<int>(2 * rounds));
}
template <class Lock>
void exclude_three(Lock& lock) {
    Guarded data;
    auto const work = [&] {
        lock.lock();
        data.change();
        lock.unlock();
    };
    run_on_cpus(work, work, work);
    REQUIRE(data.value == 3);
}
// One locks, the other tries: whoever gets in sees what the other wrote.
template <class Lock>
void exclude_try(Lock& lock) {
    Guarded data;
    int got = 0;
    auto const one = [&] {
        lock.lock();
        data.change();
        lock.unlock();
    };
    auto const two = [&] {
        for (int i = 0; i < 2; ++i) {
            if (!lock.try_lock()) continue;
            data.change();
            ++got;
            lock.unlock();
        }
    };
    run_on_cpus(one, two);
    REQUIRE(data.value == 1 + got);
}

// Readers and writers: a reader sees both halves of what a writer wrote.
struct Halves {
    int first = 0, second = 0;

    void write() {
        ++first;
        ++second;
    }
    void read() const { REQUIRE(first == second); }
};

}  // namespace tutti::interleave
