// SPDX-License-Identifier: BSD-3-Clause
// Each record has a sequence word, which is also its state. For the n-th record (n counts from 0, slot = n mod size):
//
//   2n      free for n           2n + 1  n is being written           2(n + size)  n is complete, free for n + size
//
// A writer that was overtaken by a whole turn of the ring gives its record up: the exchange from 2n fails.
// Memory order: the writer's release of "complete" pairs with the drainer's acquire; a drainer that copies while the
// slot is taken again notices by the sequence word after the copy and drops the record (the text is relaxed atomics).
#include "smp/debug/log_ring.hpp"

#include <atomic>
#include <cstring>

#include "hal/clock.hpp"
#include "hal/console.hpp"
#include "smp/context/preempt.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::smp {
namespace {

constexpr u64 kRecords = 256;
constexpr size_t kTextWords = 28;

struct Record {
    std::atomic<u64> sequence;
    std::atomic<i64> time;
    std::atomic<u32> cpu_level_length;  // 31..16 CPU (its low bits), 15..12 level, 11..0 length
    std::atomic<u64> text[kTextWords];
};

constinit Record g_records[kRecords]{};
constinit std::atomic<u64> g_next{0};       // number of the next record
constinit std::atomic<bool> g_draining{false};
constinit std::atomic<u64> g_drained{0};    // owned by the drainer; atomic for the look from outside

// 2n for slot n at the start: the slot's own number, which zero-initialised memory does not have. Stored as a
// difference to it, so that zeroes are right.
ISR_SAFE u64 load_sequence(u64 slot, std::memory_order order) { return g_records[slot].sequence.load(order) + 2 * slot; }

ISR_SAFE void record(LogLevel level, std::string_view line) {
    // relaxed: the counter only hands out numbers.
    u64 const number = g_next.fetch_add(1, std::memory_order_relaxed);
    u64 const slot = number % kRecords;
    Record& entry = g_records[slot];
    u64 expected = 2 * number - 2 * slot;
    // acquire: our writes come after the earlier occupant's. Fails when a writer of the last turn is still at it, or a
    // later one has come: this line is lost, and the gap is counted when the ring is drained.
    if (!entry.sequence.compare_exchange_strong(expected, expected + 1, std::memory_order_acquire,
                                                std::memory_order_relaxed))
        return;
    size_t const length = line.size() < kTextWords * 8 ? line.size() : kTextWords * 8;
    for (size_t i = 0; i * 8 < length; ++i) {
        u64 word = 0;
        std::memcpy(&word, line.data() + i * 8, length - i * 8 < 8 ? length - i * 8 : 8);
        entry.text[i].store(word, std::memory_order_relaxed);
    }
    entry.time.store(hal::now().count(), std::memory_order_relaxed);
    entry.cpu_level_length.store(this_cpu_unstable().value() << 16 | static_cast<u32>(level) << 12 |
                                     static_cast<u32>(length),
                                 std::memory_order_relaxed);
    entry.sequence.store(2 * (number + kRecords) - 2 * slot, std::memory_order_release);
}

// Only the drainer. False when there is nothing complete to write.
ISR_SAFE bool write_next(u64& lost) {
    u64 const number = g_drained.load(std::memory_order_relaxed);
    u64 const end = g_next.load(std::memory_order_relaxed);
    if (number == end) return false;
    if (end - number > kRecords) {
        lost += end - kRecords - number;
        g_drained.store(end - kRecords, std::memory_order_relaxed);
        return true;
    }
    u64 const slot = number % kRecords;
    Record& entry = g_records[slot];
    u64 const complete = 2 * (number + kRecords);
    u64 const seen = load_sequence(slot, std::memory_order_acquire);
    if (seen < complete && end - number < kRecords / 2) return false;  // its writer comes back to it, and drains
    u64 text[kTextWords];
    u32 const packed = entry.cpu_level_length.load(std::memory_order_relaxed);
    size_t const length = packed & 0xfff;
    for (size_t i = 0; i * 8 < length; ++i) text[i] = entry.text[i].load(std::memory_order_relaxed);
    i64 const time = entry.time.load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    g_drained.store(number + 1, std::memory_order_relaxed);
    if (load_sequence(slot, std::memory_order_relaxed) != complete) {
        ++lost;
        return true;
    }
    static constexpr std::string_view kLevels[] = {"ERROR ", "WARN ", "", ""};
    char line[64 + sizeof text];
    hal::early_console_write(format_to(line, "[{:5}.{:06} cpu{}] {}{}\n", time / 1'000'000'000,
                                       time / 1000 % 1'000'000, packed >> 16, kLevels[packed >> 12 & 3],
                                       std::string_view{reinterpret_cast<char const*>(text), length}));
    return true;
}

ISR_SAFE void drain_locked() {
    u64 lost = 0;
    while (write_next(lost)) {
        if (lost == 0) continue;
        char line[64];
        hal::early_console_write(format_to(line, "[log: {} lines lost]\n", lost));
        lost = 0;
    }
}

ISR_SAFE void drain() {
    // After letting go we look again: a record that was completed while we held the flag had nobody else to write it.
    // seq_cst on both sides: its writer's failed exchange and our last look cannot both miss each other.
    u64 tried_at = ~u64{0};
    while (g_drained.load(std::memory_order_relaxed) != g_next.load(std::memory_order_seq_cst)) {
        if (g_drained.load(std::memory_order_relaxed) == tried_at) return;  // the next record is still being written
        if (g_draining.exchange(true, std::memory_order_seq_cst)) return;
        drain_locked();
        tried_at = g_drained.load(std::memory_order_relaxed);
        g_draining.exchange(false, std::memory_order_seq_cst);
    }
}

ISR_SAFE void log_sink(LogLevel level, std::string_view line) {
    preempt_disable();  // a drainer that lost its CPU would keep everybody's lines back
    record(level, line);
    drain();
    preempt_enable();
}

}  // namespace

void log_init() { set_log_sink(log_sink); }

ISR_SAFE void write_console_line(std::string_view line) {
    constexpr u32 kPatience = 50'000'000;  // a CPU that has stopped amid a line does not stop us for ever
    u32 const looks = in_isr() ? 1 : kPatience;
    preempt_disable();
    bool ours = false;
    for (u32 i = 0; i < looks && !ours; ++i) {
        if (i != 0) arch::pause();
        ours = !g_draining.load(std::memory_order_relaxed) && !g_draining.exchange(true, std::memory_order_seq_cst);
    }
    char whole[320];
    hal::early_console_write(format_to(whole, "{}\n", line));
    if (ours) g_draining.exchange(false, std::memory_order_seq_cst);
    drain();
    preempt_enable();
}

void log_flush_for_panic() { drain_locked(); }

}  // namespace tutti::smp
