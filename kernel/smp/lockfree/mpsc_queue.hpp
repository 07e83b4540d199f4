// SPDX-License-Identifier: BSD-3-Clause
// Intrusive multi-producer queue whose consumer takes everything at once: wake-ups, calls, dead threads.
//
//   push:      node.next = head; head = node      (compare-and-swap)
//   take_all:  chain = head; head = null          (exchange), then reversed: first in, first out
//
// Progress: push lock-free, take_all wait-free but for the reversal. ISR- and NMI-safe. ABA cannot hurt: push only links
// to the head it saw, and a head that was taken and came back is a valid head again; nothing is popped singly.
// Any number of consumers may call take_all; each element goes to one of them. Elements belong to the caller's protocol:
// an element is pushed again only after it was taken.
#pragma once

#include <atomic>

namespace tutti::smp {

template <class T>
struct MpscNode {
    T* next = nullptr;
};

template <class T, MpscNode<T> T::*Member>
class MpscQueue {
  public:
    constexpr MpscQueue() = default;
    MpscQueue(MpscQueue const&) = delete;
    MpscQueue& operator=(MpscQueue const&) = delete;

    // True when the queue was empty: this producer tells the consumer, later ones need not.
    // seq_cst: callers follow it with a look at the consumer's state (sleeping or polling), which the consumer writes
    // before its own look at empty(); one of the two sees the other.
    bool push(T& element) {
        T* head = head_.load(std::memory_order_relaxed);
        do {
            (element.*Member).next = head;
        } while (!head_.compare_exchange_weak(head, &element, std::memory_order_seq_cst, std::memory_order_relaxed));
        return head == nullptr;
    }

    // The elements in the order of their pushes, linked through their nodes; null when there are none.
    // acquire: pairs with the pushes; the elements are as their producers left them.
    [[nodiscard]] T* take_all() {
        // seq_cst: see push(). A consumer that stops polling says so and then takes what is there.
        if (head_.load(std::memory_order_seq_cst) == nullptr) return nullptr;
        T* reversed = head_.exchange(nullptr, std::memory_order_acquire);
        T* chain = nullptr;
        while (reversed != nullptr) {
            T* const next = (reversed->*Member).next;
            (reversed->*Member).next = chain;
            chain = reversed;
            reversed = next;
        }
        return chain;
    }
    [[nodiscard]] static T* next(T const& element) { return (element.*Member).next; }

    // seq_cst: see push().
    [[nodiscard]] bool empty() const { return head_.load(std::memory_order_seq_cst) == nullptr; }

  private:
    std::atomic<T*> head_{nullptr};
};

}  // namespace tutti::smp
