// SPDX-License-Identifier: BSD-3-Clause
// Queued spin lock in one 4-byte word: an uncontended acquisition touches only the word; waiters queue, each spinning
// on a node of its own (Mellor-Crummey, Scott, "Algorithms for Scalable Synchronization on Shared-Memory
// Multiprocessors", TOCS 1991; the word's layout follows the field's queued spin locks).
//
//   word:  31..8 tail of the queue: (CPU + 1) << 2 | node index, 0 = no queue       7..0 locked
//
//   free 0 --CAS--> locked                                    the fast path; impossible while a queue exists
//   locked, waiter arrives: CAS its tail in, link behind the old tail, spin on the own node
//   the head of the queue spins on the locked byte, takes the lock, then makes its successor the head
//
// Nodes belong to the CPU, one for each rung that may be waiting at the same time: a CPU waits for at most one lock on
// each rung, so four suffice. A node is in use only while its owner waits, never while it holds.
//
// A virtual CPU that loses its processor while it is next in line would stop everybody behind it, lock free or not. So
// under a hypervisor (spin_waiters_compete()) waiters compete for the word instead of queueing, with growing pauses.
//
// Progress: blocking; FIFO when queueing. ISR-safe when every holder has interrupts off. No memory to reclaim; a node's
// address is reused only after its owner has been told that it is the head, which is the last access of others to it.
#pragma once

#include <atomic>

#include "arch/cpu.hpp"
#include "smp/context/context.hpp"
#include "smp/spin/lock_debug.hpp"

namespace tutti::smp {

struct SpinQueueNode {
    std::atomic<SpinQueueNode*> next{nullptr};
    std::atomic<bool> is_head{false};
};

namespace queued_lock {

inline constexpr u32 kLocked = 1;
inline constexpr u32 kLockedMask = 0xff;
inline constexpr u32 kNodesPerCpu = 4;

[[nodiscard]] constexpr u32 encode_tail(u32 cpu, u32 index) { return ((cpu + 1) << 2 | index) << 8; }
[[nodiscard]] constexpr u32 tail_cpu(u32 word) { return (word >> 10) - 1; }
[[nodiscard]] constexpr u32 tail_index(u32 word) { return word >> 8 & 3; }

[[nodiscard]] inline bool try_lock(std::atomic<u32>& word) {
    u32 expected = 0;
    // acquire: pairs with the release in unlock().
    return word.compare_exchange_strong(expected, kLocked, std::memory_order_acquire, std::memory_order_relaxed);
}

// Waits in the queue. `node` is the caller's and not in use; `tail` names it; `node_of(word)` finds the node that a
// word's tail names.
template <class NodeOf>
void wait_in_queue(std::atomic<u32>& word, SpinQueueNode& node, u32 tail, NodeOf&& node_of) {
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
        // acquire: pairs with the release store by our predecessor below.
        while (!node.is_head.load(std::memory_order_acquire)) arch::pause();
    }
    while (true) {
        // acquire: pairs with the release in unlock().
        u32 seen = word.load(std::memory_order_acquire);
        if ((seen & kLockedMask) != 0) {
            arch::pause();
            continue;
        }
        if (seen == tail) {
            // Nobody behind us: the queue ends. A newcomer makes the exchange fail.
            if (word.compare_exchange_strong(seen, kLocked, std::memory_order_acquire, std::memory_order_relaxed))
                return;
            continue;
        }
        // Nobody but the head sets the locked byte while a queue exists. acquire: the load above has synchronised.
        word.fetch_or(kLocked, std::memory_order_relaxed);
        SpinQueueNode* next = nullptr;
        // acquire: pairs with the successor's release; its node is initialised.
        while ((next = node.next.load(std::memory_order_acquire)) == nullptr) arch::pause();
        next->is_head.store(true, std::memory_order_release);
        return;
    }
}

// Waits by competing for the word.
inline void wait_competing(std::atomic<u32>& word) {
    u32 pauses = 1;
    do {
        while (word.load(std::memory_order_relaxed) != 0) {
            for (u32 i = 0; i < pauses; ++i) arch::pause();
            if (pauses < 64) pauses *= 2;
        }
    } while (!try_lock(word));
}

inline void unlock(std::atomic<u32>& word) {
    // Only the holder writes the locked byte, which is the word's first (both architectures are little-endian).
    // release: pairs with the acquires of try_lock() and wait_in_queue().
    __atomic_store_n(reinterpret_cast<u8*>(&word), u8{0}, __ATOMIC_RELEASE);
}

// Waits in the way chosen for this machine, with this CPU's nodes.
NOINLINE void lock_slow(std::atomic<u32>& word);

}  // namespace queued_lock

// How contended locks wait: by queueing (bare metal), or by competing (under a hypervisor that may take a CPU away).
// Chosen once, before secondary CPUs start.
void set_spin_waiters_compete(bool compete);
[[nodiscard]] bool spin_waiters_compete();

class CAPABILITY("spin lock") QueuedSpinLock {
  public:
    constexpr QueuedSpinLock(LockRank rank, char const* name) : debug_{rank, name} {}
    QueuedSpinLock(QueuedSpinLock const&) = delete;
    QueuedSpinLock& operator=(QueuedSpinLock const&) = delete;

    void lock(NoPreempt const&) ACQUIRE() NO_THREAD_SAFETY_ANALYSIS {
        debug_.before_lock(this);
        if (!queued_lock::try_lock(word_)) [[unlikely]] queued_lock::lock_slow(word_);
        debug_.after_lock();
    }
    void lock(NoPreempt const&, SameRank reason) ACQUIRE() NO_THREAD_SAFETY_ANALYSIS {
        debug_.before_lock(this, reason);
        if (!queued_lock::try_lock(word_)) [[unlikely]] queued_lock::lock_slow(word_);
        debug_.after_lock();
    }
    [[nodiscard]] bool try_lock(NoPreempt const&) TRY_ACQUIRE(true) NO_THREAD_SAFETY_ANALYSIS {
        if (!queued_lock::try_lock(word_)) return false;
        debug_.after_try_lock();
        return true;
    }
    void unlock() RELEASE() NO_THREAD_SAFETY_ANALYSIS {
        debug_.before_unlock();
        queued_lock::unlock(word_);
    }
    // A hint: stale at once unless the caller holds it.
    [[nodiscard]] bool is_locked() const { return (word_.load(std::memory_order_relaxed) & 0xff) != 0; }

  private:
    std::atomic<u32> word_{0};
    [[no_unique_address]] LockDebug debug_;
};

}  // namespace tutti::smp
