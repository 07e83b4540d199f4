// SPDX-License-Identifier: BSD-3-Clause
// Ring between one producer and one consumer, each of which may be a thread, an interrupt handler or a CPU.
//
//   slots_[read_ .. write_)   full; the numbers count for ever, slot = number mod capacity
//
// Each side keeps its own number and a copy of the other's in a cache line of its own, and looks at the other's only when the
// copy says full or empty (Lamport 1983; the copies: Lee et al., "MCRingBuffer", IPDPS 2010).
//
// Progress: wait-free. ISR-safe, both sides. ABA: the numbers have 64 bits. Memory: the slots, made once.
// Invariant: read_ <= write_ <= read_ + capacity; the producer alone writes slots from write_ on, the consumer alone reads
// those before; a number is published after the slot is written, or read.
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
class SpscRing {
  public:
    // Room for at least `capacity` elements, rounded up to a power of two. Errors: NoMemory, InvalidArgument (0).
    [[nodiscard]] static Result<SpscRing> create(size_t capacity) {
        if (capacity == 0) return fail(Error::InvalidArgument);
        if (capacity > (~size_t{0} >> 1) / sizeof(Slot)) return fail(Error::NoMemory);
        size_t const rounded = std::bit_ceil(capacity);
        Slot* const slots = new (std::nothrow) Slot[rounded];
        if (slots == nullptr) return fail(Error::NoMemory);
        return SpscRing{slots, rounded - 1};
    }
    // Before the ring is shared.
    SpscRing(SpscRing&& other) noexcept
        : slots_{std::exchange(other.slots_, nullptr)}, mask_{std::exchange(other.mask_, 0)} {}
    SpscRing& operator=(SpscRing&&) = delete;
    ~SpscRing() {
        if (slots_ == nullptr) return;
        while (pop()) {
        }
        delete[] slots_;
    }

    [[nodiscard]] size_t capacity() const { return mask_ + 1; }

    // The producer. False: full, and `value` is untouched.
    [[nodiscard]] bool push(T&& value) {
        u64 const number = write_.own.load(std::memory_order_relaxed);
        if (number - write_.seen > mask_) {
            write_.seen = read_.own.load(std::memory_order_acquire);  // pairs with pop(): the slot has been read
            if (number - write_.seen > mask_) return false;
        }
        new (static_cast<void*>(slots_[number & mask_].memory)) T(std::move(value));
        write_.own.store(number + 1, std::memory_order_release);  // pairs with pop()
        return true;
    }
    [[nodiscard]] bool push(T const& value)
        requires std::copy_constructible<T>
    {
        return push(T(value));
    }

    // The consumer. Nothing when empty.
    [[nodiscard]] std::optional<T> pop() {
        u64 const number = read_.own.load(std::memory_order_relaxed);
        if (number == read_.seen) {
            read_.seen = write_.own.load(std::memory_order_acquire);  // pairs with push(): the slot is filled
            if (number == read_.seen) return std::nullopt;
        }
        T* const value = std::launder(reinterpret_cast<T*>(slots_[number & mask_].memory));
        std::optional<T> taken{std::move(*value)};
        value->~T();
        read_.own.store(number + 1, std::memory_order_release);  // pairs with push()
        return taken;
    }

    // A look that may be old.
    [[nodiscard]] size_t size() const {
        u64 const read = read_.own.load(std::memory_order_relaxed);
        u64 const written = write_.own.load(std::memory_order_relaxed);
        return written > read ? written - read : 0;
    }

  private:
    struct Slot {
        alignas(T) unsigned char memory[sizeof(T)];
    };
    struct alignas(kCacheLine) Side {
        std::atomic<u64> own{0};
        u64 seen = 0;  // the other side's number when last looked at
    };
    SpscRing(Slot* slots, size_t mask) : slots_{slots}, mask_{mask} {}

    Slot* slots_;
    size_t mask_;
    Side write_;
    Side read_;
};

}  // namespace tutti::smp
