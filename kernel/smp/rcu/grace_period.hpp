// SPDX-License-Identifier: BSD-3-Clause
// The grace periods of RCU by themselves: when has every CPU left the read sections that it was in?
//
// A grace period is a number, its ticket. Each CPU has a word of its own, `seen`:
//
//   kExtended   no read section runs there and none will begin before the word has changed: idle, halted, not started
//   n           the CPU has been between two read sections since ticket n was drawn
//
//   waiter                                        CPU
//     unlink                                        read sections ...
//     ticket = sequence_ + 1   (atomic add)         between two: seen = sequence_             quiescent()
//     for each CPU:                                 before halting: seen = kExtended          enter_extended()
//       wait until kExtended or seen >= ticket      after halting: seen = sequence_, fence    leave_extended()
//     reclaim
//
// Any number of grace periods overlap, nobody leads and nothing is locked: whoever waits looks at the words. Who finishes
// says so in completed_, which ends the waits of all earlier tickets.
//
// Why it is right. Let R be a read section of CPU c and T a ticket whose wait has ended.
//   1. The waiter saw seen >= T, stored by c after R: release there, acquire here, so R happened before the end.
//   2. It was stored before R: c had read sequence_ >= T with acquire, and every add is a release and part of one chain of
//      read-modify-writes; so what the waiter unlinked before T is unlinked for R.
//   3. The waiter saw kExtended. If R came before that store, as 1. If R comes after leave_extended(): the waiter's fence
//      lies between its unlinking and its look, c's fence between its store and R. Our look missed c's store, so our
//      fence came first, and R sees the unlinking (C++20 [atomics.order] 4.4).
// A late or repeated quiescent() (interrupted between its load and its store) only makes `seen` older: a wait is longer.
//
// Progress: quiescent(), enter_extended(), leave_extended(), start() wait-free; a wait ends when every CPU has come by.
// Any context up to Isr. The numbers have 64 bits and do not wrap.
#pragma once

#include <atomic>

#include "base/compiler.hpp"
#include "base/types.hpp"

namespace tutti::smp::rcu {

using Ticket = u64;

struct alignas(kCacheLine) QuiescentWord {
    std::atomic<Ticket> seen{0};
};

class GracePeriods {
  public:
    static constexpr Ticket kExtended = 0;
    constexpr GracePeriods() = default;

    // --- on the CPU that owns the word, outside of read sections ------------------------------------------------------
    ALWAYS_INLINE void quiescent(QuiescentWord& own) {
        // acquire: later read sections come after the ticket was drawn. release: earlier ones come before the report.
        Ticket const now = sequence_.load(std::memory_order_acquire);
        if (own.seen.load(std::memory_order_relaxed) != now) [[unlikely]]
            own.seen.store(now, std::memory_order_release);
    }
    void enter_extended(QuiescentWord& own) {
        own.seen.store(kExtended, std::memory_order_release);  // as in quiescent()
    }
    void leave_extended(QuiescentWord& own) {
        own.seen.store(sequence_.load(std::memory_order_acquire), std::memory_order_release);  // as in quiescent()
        std::atomic_thread_fence(std::memory_order_seq_cst);                                  // pairs with that in start()
    }
    [[nodiscard]] static bool is_extended(QuiescentWord const& own) {
        return own.seen.load(std::memory_order_relaxed) == kExtended;  // the CPU itself wrote it
    }
    [[nodiscard]] bool is_behind(QuiescentWord const& own) const {
        Ticket const seen = own.seen.load(std::memory_order_relaxed);
        return seen != kExtended && seen != sequence_.load(std::memory_order_relaxed);
    }

    // --- anybody ------------------------------------------------------------------------------------------------------
    // Begins a grace period: it covers the read sections that run now.
    [[nodiscard]] Ticket start() {
        // acq_rel: what this caller, and those who drew before it, unlinked comes before the sections of CPUs that report
        // this ticket.
        Ticket const ticket = sequence_.fetch_add(1, std::memory_order_acq_rel) + 1;
        std::atomic_thread_fence(std::memory_order_seq_cst);  // pairs with that in leave_extended()
        return ticket;
    }
    [[nodiscard]] Ticket newest() const { return sequence_.load(std::memory_order_relaxed); }

    [[nodiscard]] static bool has_passed(QuiescentWord const& word, Ticket ticket) {
        Ticket const seen = word.seen.load(std::memory_order_acquire);  // pairs with the owner's releases
        return seen == kExtended || seen >= ticket;
    }
    // One look, from CPU number `cursor` on, which it moves past those that have passed. True: the grace period is over.
    template <class WordOf>
    [[nodiscard]] bool look(Ticket ticket, u32& cursor, u32 cpus, WordOf&& word_of) {
        if (is_over(ticket)) return true;
        for (; cursor < cpus; ++cursor)
            if (!has_passed(word_of(cursor), ticket)) return false;
        note_over(ticket);
        return true;
    }
    [[nodiscard]] bool is_over(Ticket ticket) const {
        return completed_.load(std::memory_order_acquire) >= ticket;  // pairs with note_over()
    }

  private:
    void note_over(Ticket ticket) {
        Ticket before = completed_.load(std::memory_order_relaxed);
        // release: what this waiter has seen of the CPUs' reports goes to those whose waits end by it. A smaller ticket
        // that comes late adds nothing.
        while (before < ticket && !completed_.compare_exchange_weak(before, ticket, std::memory_order_release,
                                                                    std::memory_order_relaxed)) {
        }
    }

    // Read by every CPU at every switch, written once for each grace period.
    alignas(kCacheLine) std::atomic<Ticket> sequence_{kExtended + 1};
    alignas(kCacheLine) std::atomic<Ticket> completed_{kExtended};
};

}  // namespace tutti::smp::rcu
