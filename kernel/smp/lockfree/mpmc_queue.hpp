// SPDX-License-Identifier: BSD-3-Clause
// Bounded queue for any number of producers and consumers (Vyukov, "Bounded MPMC queue", 2010).
//
// Each slot has a sequence number that says what may be done with it. For the n-th element (slot = n mod capacity):
//
//   n   free for it          n + 1   full          n + capacity   free for the next turn
//
// A producer draws n by moving push_ on when the slot is free, fills the slot, then stores n + 1; a consumer likewise.
//
// Progress: no locks, but not lock-free in the strict sense: a producer that stops between drawing and filling keeps back
// the consumers of its slot (they see "empty"), never other producers until the queue has gone round. So a section here
// should not be preempted: call with preemption off where others wait. ISR-safe: a handler that interrupts a producer sees
// "empty" or "full" at worst and does not wait. ABA: numbers have 64 bits and do not wrap. Memory: the slots, made once.
// "Full" and "empty" are looks that may be a moment old: a caller may hear of one consumer before it hears of another that
// came first. Who must know waits by other means.
// Invariant: the exchange on push_ (pop_) gives n to one caller; between that and its store of the sequence the slot is
// that caller's alone. First in, first out by the order of draws.
#pragma once

#include <atomic>
#include <bit>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "base/compiler.hpp"
#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti::smp {

template <class T>
class MpmcQueue {
  public:
    // Room for at least `capacity` elements, rounded up to a power of two of at least 2. Errors: NoMemory, InvalidArgument.
    [[nodiscard]] static Result<MpmcQueue> create(size_t capacity) {
        if (capacity == 0) return fail(Error::InvalidArgument);
        if (capacity > (~size_t{0} >> 1) / sizeof(Slot)) return fail(Error::NoMemory);
        size_t const rounded = std::bit_ceil(capacity < 2 ? size_t{2} : capacity);
        Slot* const slots = new (std::nothrow) Slot[rounded];
        if (slots == nullptr) return fail(Error::NoMemory);
        for (size_t i = 0; i < rounded; ++i) slots[i].sequence.store(i, std::memory_order_relaxed);
        return MpmcQueue{slots, rounded - 1};
    }
    // Before the queue is shared.
    MpmcQueue(MpmcQueue&& other) noexcept
        : slots_{std::exchange(other.slots_, nullptr)}, mask_{std::exchange(other.mask_, 0)} {}
    MpmcQueue& operator=(MpmcQueue&&) = delete;
    ~MpmcQueue() {
        if (slots_ == nullptr) return;
        while (pop()) {
        }
        delete[] slots_;
    }

    [[nodiscard]] size_t capacity() const { return mask_ + 1; }

    // False: full, and `value` is untouched.
    [[nodiscard]] bool push(T&& value) {
        u64 number = push_.load(std::memory_order_relaxed);
        Slot* const slot = draw(push_, number, 0);
        if (slot == nullptr) return false;
        new (static_cast<void*>(slot->memory)) T(std::move(value));
        slot->sequence.store(number + 1, std::memory_order_release);  // pairs with draw() of the consumer
        return true;
    }
    [[nodiscard]] bool push(T const& value)
        requires std::copy_constructible<T>
    {
        return push(T(value));
    }
    // Nothing when empty.
    [[nodiscard]] std::optional<T> pop() {
        u64 number = pop_.load(std::memory_order_relaxed);
        Slot* const slot = draw(pop_, number, 1);
        if (slot == nullptr) return std::nullopt;
        T* const value = std::launder(reinterpret_cast<T*>(slot->memory));
        std::optional<T> taken{std::move(*value)};
        value->~T();
        slot->sequence.store(number + mask_ + 1, std::memory_order_release);  // pairs with draw() of the next producer
        return taken;
    }

    // A look that may be old.
    [[nodiscard]] size_t size() const {
        u64 const popped = pop_.load(std::memory_order_relaxed);
        u64 const pushed = push_.load(std::memory_order_relaxed);
        return pushed > popped ? pushed - popped : 0;
    }

  private:
    struct Slot {
        std::atomic<u64> sequence{0};
        alignas(T) unsigned char memory[sizeof(T)];
    };
    MpmcQueue(Slot* slots, size_t mask) : slots_{slots}, mask_{mask} {}

    // Draws the next number whose slot has reached number + offset; null when it has not yet.
    Slot* draw(std::atomic<u64>& next, u64& number, u64 offset) {
        while (true) {
            Slot& slot = slots_[number & mask_];
            // acquire: the slot is as its last user left it.
            i64 const ahead = static_cast<i64>(slot.sequence.load(std::memory_order_acquire) - (number + offset));
            if (ahead < 0) {
                // Full or empty, unless others have moved on while we looked.
                u64 const now = next.load(std::memory_order_relaxed);
                if (now == number) return nullptr;
                number = now;
            } else if (ahead > 0) {
                number = next.load(std::memory_order_relaxed);
            } else if (next.compare_exchange_weak(number, number + 1, std::memory_order_relaxed,
                                                  std::memory_order_relaxed)) {
                return &slot;  // relaxed: the sequence numbers synchronise
            }
        }
    }

    Slot* slots_;
    size_t mask_;
    alignas(kCacheLine) std::atomic<u64> push_{0};
    alignas(kCacheLine) std::atomic<u64> pop_{0};
};

}  // namespace tutti::smp
