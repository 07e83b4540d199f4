// SPDX-License-Identifier: BSD-3-Clause
#include "sched/placement.hpp"

#include "base/atomic_bitmap.hpp"
#include "sched/run_queue/run_queue.hpp"

namespace tutti::sched {
namespace {

// seq_cst on the idle bits and the marks: the idle loop sets its bit and then looks for marks; whoever queues a thread behind
// a running one sets the mark and then looks for an idle CPU. And: who claims an idle CPU clears its bit and then reads its
// mode; the idle loop writes the mode and then looks whether its bit is still there.
constinit AtomicBitmap g_idle;
constinit AtomicBitmap g_overloaded;
constinit std::span<std::atomic<u64>> g_idle_words;

ISR_SAFE bool claim(CpuId cpu) {
    return g_idle.test(cpu.value(), std::memory_order_relaxed) && g_idle.clear(cpu.value(), std::memory_order_seq_cst);
}

// The load of each CPU decides; the same load: the waker's own, which needs no interrupt.
ISR_SAFE CpuId choose_busy(Thread const& thread, CpuId self, CpuId previous) {
    bool const self_allowed = thread.affinity().contains(self);
    bool const previous_allowed = thread.affinity().contains(previous);
    if (self_allowed && previous_allowed) {
        if (self == previous) return self;
        u32 const own = run_queue(self).load.load(std::memory_order_relaxed);
        u32 const other = run_queue(previous).load.load(std::memory_order_relaxed);
        return own <= other ? self : previous;
    }
    if (self_allowed) return self;
    if (previous_allowed) return previous;
    // The least loaded of the first few that are allowed, from the waker on.
    CpuId best{smp::cpu_count()};
    u32 best_load = ~u32{0};
    u32 looked_at = 0;
    for (u32 pass = 0; pass < 2 && looked_at < 16; ++pass) {
        u32 const end = pass == 0 ? smp::cpu_count() : self.value();
        for (CpuId cpu = thread.affinity().next_from(pass == 0 ? self.value() : 0);
             cpu.value() < end && looked_at < 16; cpu = thread.affinity().next_from(cpu.value() + 1)) {
            if (!smp::is_online(cpu)) continue;
            ++looked_at;
            u32 const load = run_queue(cpu).load.load(std::memory_order_relaxed);
            if (load < best_load) {
                best = cpu;
                best_load = load;
            }
        }
    }
    // Affinities are checked to hold an online CPU; a set under change may show none for a moment.
    return best.value() < smp::cpu_count() ? best : self;
}

// A CPU where a real-time thread would run at once, none idle; cpu_count() when every CPU runs something as urgent.
ISR_SAFE CpuId choose_preemptible(Thread const& thread, CpuId previous) {
    u32 const rank = 1u + thread.policy().priority;
    u32 const count = smp::cpu_count();
    CpuId best{count};
    u32 best_rank = rank;
    for (u32 i = 0; i < count; ++i) {
        CpuId const cpu{(previous.value() + i) % count};
        if (!thread.affinity().contains(cpu) || !smp::is_online(cpu)) continue;
        u32 const running = run_queue(cpu).current_rank.load(std::memory_order_relaxed);
        if (running < best_rank) {
            best = cpu;
            best_rank = running;
            if (running <= 1) break;
        }
    }
    return best;
}

}  // namespace

Result<> placement_init() {
    u32 const count = smp::cpu_count();
    size_t const words = AtomicBitmap::words_for(count);
    // A cache line between the two.
    size_t const stride = align_up(words, kCacheLine / sizeof(u64));
    auto* const memory = new (std::nothrow) std::atomic<u64>[2 * stride]{};
    if (memory == nullptr) return fail(Error::NoMemory);
    g_idle_words = {memory, words};
    g_idle = AtomicBitmap{{memory, words}, count};
    g_overloaded = AtomicBitmap{{memory + stride, words}, count};
    return {};
}

ISR_SAFE void mark_idle(CpuId cpu) {
    if (!g_idle.test(cpu.value(), std::memory_order_relaxed)) g_idle.set(cpu.value(), std::memory_order_seq_cst);
}
ISR_SAFE void mark_busy(CpuId cpu) {
    if (g_idle.test(cpu.value(), std::memory_order_relaxed)) g_idle.clear(cpu.value(), std::memory_order_seq_cst);
}
ISR_SAFE bool is_marked_idle(CpuId cpu) { return g_idle.test(cpu.value(), std::memory_order_seq_cst); }

ISR_SAFE CpuId claim_idle_for(Thread const& thread, CpuId near) {
    smp::CpuSet const& allowed = thread.affinity();
    size_t const words = g_idle_words.size();
    size_t const first = near.value() / 64;
    // The word of `near` comes first, from `near` on, and again at the end for the bits before it.
    for (size_t i = 0; i <= words; ++i) {
        size_t const index = (first + i) % words;
        u64 bits = g_idle_words[index].load(std::memory_order_seq_cst) & allowed.word_value(static_cast<u32>(index));
        if (i == 0) bits &= ~u64{0} << (near.value() % 64);
        for (; bits != 0; bits &= bits - 1) {
            CpuId const cpu{static_cast<u32>(index * 64) + static_cast<u32>(std::countr_zero(bits))};
            if (claim(cpu)) return cpu;
        }
    }
    return CpuId{smp::cpu_count()};
}

ISR_SAFE CpuId choose_cpu(Thread const& thread, CpuId self) {
    CpuId const previous = thread.cpu();
    if (thread.must_stay_on_cpu()) return previous;
    bool const previous_allowed = thread.affinity().contains(previous);
    if (previous_allowed && claim(previous)) return previous;
    if (thread.affinity().contains(self) && claim(self)) return self;
    CpuId const idle = claim_idle_for(thread, previous_allowed ? previous : self);
    if (idle.value() < smp::cpu_count()) return idle;
    if (thread.policy().is_realtime()) {
        CpuId const preemptible = choose_preemptible(thread, previous);
        if (preemptible.value() < smp::cpu_count()) return preemptible;
    }
    return choose_busy(thread, self, previous);
}

ISR_SAFE void mark_overloaded(CpuId cpu) {
    if (!g_overloaded.test(cpu.value(), std::memory_order_relaxed))
        g_overloaded.set(cpu.value(), std::memory_order_seq_cst);
}
// relaxed: under the lock of that CPU's queue, as mark_overloaded().
ISR_SAFE void clear_overloaded(CpuId cpu) { g_overloaded.clear(cpu.value(), std::memory_order_relaxed); }
ISR_SAFE CpuId next_overloaded(u32 start) {
    auto const found = g_overloaded.find_set_from(start % smp::cpu_count(), std::memory_order_seq_cst);
    return CpuId{found ? static_cast<u32>(*found) : smp::cpu_count()};
}
ISR_SAFE bool any_overloaded() { return g_overloaded.find_set_from(0, std::memory_order_seq_cst).has_value(); }

}  // namespace tutti::sched
