// SPDX-License-Identifier: BSD-3-Clause
// A contest: one operation, done by several implementations. Included by our side and by the peers', so it names neither.
#pragma once

#include <atomic>
#include <cstdint>

namespace tutti::bench {

// What one thread of a round is told, and what it says.
struct alignas(64) Worker {
    unsigned index = 0;
    unsigned threads = 1;
    unsigned private_work = 0;  // steps of spend() after each operation
    std::atomic<bool> const* stop = nullptr;
    std::uint64_t count = 0;  // operations done
};

enum class Side : std::uint8_t {
    Ours,  // in kernel threads, one on each of our CPUs
    Peer,  // in threads of the host
};

struct Contestant {
    char const* contest;
    char const* name;
    Side side;
    void (*run)(Worker&);           // until *stop
    void (*set_up)() = nullptr;     // before and after each round, in a thread of the same side
    void (*tear_down)() = nullptr;
    bool (*check)(std::uint64_t operations) = nullptr;  // after a round: was the work done right?
    Contestant* next = nullptr;
};

// All contestants of the program, in the order of the files.
void enter(Contestant& contestant);
struct Entry {
    explicit Entry(Contestant contestant) : contestant_{contestant} { enter(contestant_); }

  private:
    Contestant contestant_;
};

// Private work: a chain of dependent multiplications, which goes on from one operation to the next, so that the processor
// cannot do it ahead.
[[nodiscard]] inline std::uint64_t spend(std::uint64_t value, unsigned steps) {
    for (unsigned i = 0; i < steps; ++i) {
        value *= 0x9e3779b97f4a7c15u;
        asm volatile("" : "+r"(value));
    }
    return value;
}

template <unsigned Batch = 16, class Operation>
void repeat(Worker& worker, Operation&& operation) {
    std::uint64_t count = 0;
    unsigned const work = worker.private_work;
    if (work == 0) {
        while (!worker.stop->load(std::memory_order_relaxed)) {
            for (unsigned i = 0; i < Batch; ++i) operation();
            count += Batch;
        }
    } else {
        std::uint64_t value = worker.index;
        while (!worker.stop->load(std::memory_order_relaxed)) {
            for (unsigned i = 0; i < Batch; ++i) {
                operation();
                value = spend(value, work);
            }
            count += Batch;
        }
    }
    worker.count = count;
}

// What a lock protects, in a line of its own: one word, whose sum shows whether the lock excludes.
struct alignas(64) Protected {
    std::uint64_t value = 0;
};

// Random numbers for lists and tables: xorshift (Marsaglia 2003).
struct Random {
    std::uint64_t state;
    std::uint64_t next() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state;
    }
};
inline constexpr unsigned kListKeys = 128;

}  // namespace tutti::bench
