// SPDX-License-Identifier: BSD-3-Clause
// Queued spin lock in one 4-byte word: an uncontended acquisition touches only the word; waiters queue, each spinning
// on a node of its own (Mellor-Crummey, Scott, "Algorithms for Scalable Synchronization on Shared-Memory
// Multiprocessors", TOCS 1991; the word's layout follows the field's queued spin locks).
//
//   word:  31..16 (CPU / 64) + 1, 0 = no queue   15..10 CPU % 64   9..8 node index   7..0 locked
//                 tail of the queue: the node of the last who waits
//
//   free 0 --exchange of the byte--> locked                   the fast path; not tried while a queue exists
//   locked, nobody queues: look a few times with pauses between (compete_briefly)
//   then CAS the own tail in, link behind the old tail, spin on the own node
//   the head of the queue spins on the locked byte, takes the lock, then makes its successor the head
//
// The fast path looks at the upper half and exchanges the lowest byte, which unlock() stores: were these overlapping accesses
// of different sizes, the processor could not forward the store to them (6.0 instead of 2.2 ns for a pair). Who has looked
// before the queue began may still take the lock once before the head does.
//
// Nodes belong to the CPU, one for each rung that may be waiting at the same time: a CPU waits for at most one lock on
// each rung, so four suffice. A node is in use only while its owner waits, never while it holds.
//
// A virtual CPU that loses its processor while it is next in line would stop everybody behind it, lock free or not. So
// under a hypervisor (spin_waiters_compete()) waiters compete for the word instead of queueing, with growing pauses.
//
// The looks before queueing let the holder take the lock again a few times while the line with the word, and those with
// the data, stay in its cache: several sections for one hand-over. From the moment that somebody queues nobody overtakes.
//
// Progress: blocking; FIFO among those who queue. ISR-safe when every holder has interrupts off. No memory to reclaim; a
// node's address is reused only after its owner has been told that it is the head, which is the last access of others to
// it.
#pragma once

#include <atomic>

#include "arch/cpu.hpp"
#include "base/compiler.hpp"
#include "base/types.hpp"
#include "smp/spin/backoff.hpp"

namespace tutti::smp {

struct SpinQueueNode {
    std::atomic<SpinQueueNode*> next{nullptr};
    std::atomic<bool> is_head{false};
};

namespace queued_lock {

inline constexpr u32 kLocked = 1;
inline constexpr u32 kLockedMask = 0xff;
inline constexpr u32 kNodesPerCpu = 4;
// Pauses before each look of compete_briefly(), doubling.
inline constexpr u32 kFirstPauses = 4;
inline constexpr u32 kLastPauses = 16;

[[nodiscard]] constexpr u32 encode_tail(u32 cpu, u32 index) {
    return ((cpu >> 6) + 1) << 16 | (cpu & 0x3f) << 10 | index << 8;
}
[[nodiscard]] constexpr u32 tail_cpu(u32 word) { return ((word >> 16) - 1) << 6 | (word >> 10 & 0x3f); }
[[nodiscard]] constexpr u32 tail_index(u32 word) { return word >> 8 & 3; }

// Parts of the word; both architectures are little-endian.
[[nodiscard]] inline u8* locked_byte(std::atomic<u32>& word) { return reinterpret_cast<u8*>(&word); }
[[nodiscard]] inline u16* tail_half(std::atomic<u32>& word) { return reinterpret_cast<u16*>(&word) + 1; }

[[nodiscard]] inline bool try_lock(std::atomic<u32>& word) {
    // relaxed: who overlooks a queue that begins now comes first, once.
    if (__atomic_load_n(tail_half(word), __ATOMIC_RELAXED) != 0) return false;
    // acquire: pairs with the release in unlock().
    return __atomic_exchange_n(locked_byte(word), static_cast<u8>(kLocked), __ATOMIC_ACQUIRE) == 0;
}

// Waits in the queue. `node` is the caller's and not in use; `tail` names it; `node_of(word)` finds the node that a
// word's tail names.
template <class NodeOf>
ISR_SAFE void wait_in_queue(std::atomic<u32>& word, SpinQueueNode& node, u32 tail, NodeOf&& node_of) {
    node.next.store(nullptr, std::memory_order_relaxed);
    node.is_head.store(false, std::memory_order_relaxed);
    u32 old = word.load(std::memory_order_relaxed);
    // release: our node is initialised before others can find it (the next waiter's acquire here).
    // acquire: the node we may link behind is initialised before we write to it.
    while (!word.compare_exchange_weak(old, tail | (old & kLockedMask), std::memory_order_acq_rel,
                                       std::memory_order_relaxed)) {
    }
    if ((old & ~kLockedMask) != 0) {
        // release: pairs with the acquire of our predecessor when it looks for its successor.
        node_of(old).next.store(&node, std::memory_order_release);
        // relaxed, here and below: it says whose turn it is; what the holder did comes with the locked byte, and the node is
        // ours again by having seen the only store that others make to it.
        while (!node.is_head.load(std::memory_order_relaxed)) arch::wait_for_change(node.is_head, false);
    }
    while (true) {
        // relaxed: a look; the exchange synchronises.
        u32 const seen = word.load(std::memory_order_relaxed);
        if ((seen & kLockedMask) != 0)
            arch::wait_for_change(word, seen);
        // acquire: pairs with the release in unlock().
        else if (__atomic_exchange_n(locked_byte(word), static_cast<u8>(kLocked), __ATOMIC_ACQUIRE) == 0)
            break;
    }
    // Nobody behind us: the queue ends. A newcomer makes the exchange fail. relaxed: the tail carries nothing any more.
    u32 last = tail | kLocked;
    if (word.compare_exchange_strong(last, kLocked, std::memory_order_relaxed, std::memory_order_relaxed)) return;
    SpinQueueNode* next = nullptr;
    // acquire: pairs with the successor's release; its node is initialised.
    while ((next = node.next.load(std::memory_order_acquire)) == nullptr)
        arch::wait_for_change(node.next, static_cast<SpinQueueNode*>(nullptr));
    next->is_head.store(true, std::memory_order_relaxed);
}

// Competes for the word while nobody queues, for a bounded time. True: taken.
[[nodiscard]] inline bool compete_briefly(std::atomic<u32>& word) {
    for (u32 pauses = kFirstPauses; pauses <= kLastPauses; pauses *= 2) {
        for (u32 i = 0; i < pauses; ++i) arch::pause();
        // relaxed: a look; try_lock() synchronises.
        u32 const seen = word.load(std::memory_order_relaxed);
        if (seen == 0 && try_lock(word)) return true;
        if ((seen & ~kLockedMask) != 0) return false;
    }
    return false;
}

// Waits by competing for the word. Those who queue come first.
ISR_SAFE inline void wait_competing(std::atomic<u32>& word) {
    Backoff backoff;
    do {
        while (u32 const seen = word.load(std::memory_order_relaxed)) backoff.wait(word, seen);
    } while (!try_lock(word));
}

inline void unlock(std::atomic<u32>& word) {
    // release: pairs with the acquires of try_lock() and wait_in_queue().
    __atomic_store_n(locked_byte(word), u8{0}, __ATOMIC_RELEASE);
}

// Waits in the way chosen for this machine, with this CPU's nodes.
NOINLINE void lock_slow(std::atomic<u32>& word);
// Waits in the queue, with this CPU's nodes.
NOINLINE void lock_in_queue(std::atomic<u32>& word);

}  // namespace queued_lock

// How contended locks wait: by queueing (bare metal), or by competing (under a hypervisor that may take a CPU away).
// Waiters of both kinds may meet; set at boot, and by tests.
void set_spin_waiters_compete(bool compete);
[[nodiscard]] bool spin_waiters_compete();

class RawQueuedLock {
  public:
    void lock() {
        if (!queued_lock::try_lock(word_)) [[unlikely]] queued_lock::lock_slow(word_);
    }
    // relaxed: looks first, so that a failed attempt does not take the line from the holder.
    [[nodiscard]] bool try_lock() { return !is_locked() && queued_lock::try_lock(word_); }
    void unlock() { queued_lock::unlock(word_); }
    // Hints: stale at once unless the caller holds it.
    [[nodiscard]] bool is_locked() const {
        return (word_.load(std::memory_order_relaxed) & queued_lock::kLockedMask) != 0;
    }
    [[nodiscard]] bool has_queue() const {
        return (word_.load(std::memory_order_relaxed) & ~queued_lock::kLockedMask) != 0;
    }

  private:
    std::atomic<u32> word_{0};
};

}  // namespace tutti::smp
