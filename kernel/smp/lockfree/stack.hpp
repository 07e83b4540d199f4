// SPDX-License-Identifier: BSD-3-Clause
// Intrusive stack: last in, first out, for free lists and caches.
//
//   push       node.next = top; top = node                 any number of callers at once (compare-and-swap)
//   take_all   top = null                                  any number of callers at once (exchange)
//   pop        top = top.next                              one caller at a time, who shows it by a Popper
//
// ABA: a pop reads top.next and then exchanges top; if the top element were popped and pushed again in between, next would be
// old and the exchange succeed all the same. Only another pop, or take_all followed by push, can bring that about. Pops
// exclude each other by the Popper; a stack that is popped is emptied by pops alone, or by take_all under the Popper, too.
// Why not a tag beside the pointer: 64 bits leave it some 20 bits, which wrap within a millisecond of preemption, and a
// 16-byte exchange costs twice as much, is not on every x86_64 and makes accesses of mixed size.
//
// Progress: push lock-free, take_all wait-free, pop lock-free (pushes can make it try again). ISR-safe; a handler that may
// interrupt the holder of the Popper must not pop. Reclamation: an element belongs to who got it, and at once: push touches
// the old top only by value. Invariant: from top along next lie exactly the elements pushed and not taken.
#pragma once

#include <atomic>

#include "base/assert.hpp"

namespace tutti::smp {

template <class T>
struct StackNode {
    T* next = nullptr;
};

template <class T, StackNode<T> T::*Member>
class LockFreeStack {
  public:
    // The right to pop: exists once at a time. A stack whose pops are serialised anyhow (by a lock, by belonging to one CPU
    // with preemption off) makes one there.
    class Popper {
      public:
        // Nobody else may hold one (checked); the last holder's end happened before this.
        explicit Popper(LockFreeStack& stack) : stack_{stack} {
            // relaxed, here and below: a check. What serialises the pops has ordered them.
            CHECK(!stack_.popping_.exchange(true, std::memory_order_relaxed), "two pop from one stack at the same time");
        }
        Popper(Popper const&) = delete;
        Popper& operator=(Popper const&) = delete;
        ~Popper() { stack_.popping_.store(false, std::memory_order_relaxed); }

        // Null when empty.
        [[nodiscard]] T* pop() {
            // acquire, here and when the exchange fails: pairs with push(); the element is as its pusher left it. relaxed
            // when it succeeds: it then replaces the very store that we have acquired.
            T* top = stack_.top_.load(std::memory_order_acquire);
            while (top != nullptr &&
                   !stack_.top_.compare_exchange_weak(top, (top->*Member).next, std::memory_order_relaxed,
                                                      std::memory_order_acquire)) {
            }
            return top;
        }
        [[nodiscard]] T* take_all() { return stack_.exchange_all(); }

      private:
        LockFreeStack& stack_;
    };

    constexpr LockFreeStack() = default;
    LockFreeStack(LockFreeStack const&) = delete;
    LockFreeStack& operator=(LockFreeStack const&) = delete;
    ~LockFreeStack() { CHECK(empty(), "a stack was destroyed with elements in it"); }

    // True when it was empty.
    bool push(T& element) {
        T* top = top_.load(std::memory_order_relaxed);
        do {
            (element.*Member).next = top;
            // release: pairs with the acquires of pop() and take_all(). Elements further down were released by their own
            // pushers, whose exchanges ours continues.
        } while (!top_.compare_exchange_weak(top, &element, std::memory_order_release, std::memory_order_relaxed));
        return top == nullptr;
    }
    // All elements, newest first, linked by next(). For stacks that nobody pops.
    [[nodiscard]] T* take_all() {
        ASSERT(!popping_.load(std::memory_order_relaxed), "take_all() beside a pop()");
        return exchange_all();
    }
    [[nodiscard]] static T* next(T const& element) { return (element.*Member).next; }
    // A look that may be old.
    [[nodiscard]] bool empty() const { return top_.load(std::memory_order_relaxed) == nullptr; }

  private:
    T* exchange_all() { return top_.exchange(nullptr, std::memory_order_acquire); }

    std::atomic<T*> top_{nullptr};
    std::atomic<bool> popping_{false};
};

}  // namespace tutti::smp
