// SPDX-License-Identifier: BSD-3-Clause
// Sequence lock over a small value: readers never write and retry when a writer came between; for data that is read far
// more often than written. Writers are serialised by the caller and keep others off their CPU meanwhile (PreemptGuard
// or stronger), else a reader on the same CPU could spin for a whole time slice.
//
// Progress: store wait-free; load retries while stores keep coming. A reader in a handler that interrupted the writer on
// its own CPU would spin for ever: handlers use try_load().
// Order (Boehm, "Can Seqlocks Get Along With Programming Language Memory Models?", MSPC 2012): the data are relaxed
// atomics between two fences.
#pragma once

#include <atomic>
#include <optional>
#include <type_traits>

#include "arch/cpu.hpp"
#include "base/types.hpp"

namespace tutti::smp {

template <class T>
    requires std::is_trivially_copyable_v<T>
class SeqLocked {
  public:
    SeqLocked() { store(T{}); }
    explicit SeqLocked(T const& value) { store(value); }
    SeqLocked(SeqLocked const&) = delete;
    SeqLocked& operator=(SeqLocked const&) = delete;

    void store(T const& value) {
        u64 words[kWords] = {};
        __builtin_memcpy(words, &value, sizeof value);
        u32 const sequence = sequence_.load(std::memory_order_relaxed);
        sequence_.store(sequence + 1, std::memory_order_relaxed);
        // Pairs with the reader's acquire fence: a reader that saw a new word sees the odd sequence, too.
        std::atomic_thread_fence(std::memory_order_release);
        for (size_t i = 0; i < kWords; ++i) words_[i].store(words[i], std::memory_order_relaxed);
        // release: a reader that sees this number sees all words (its acquire load).
        sequence_.store(sequence + 2, std::memory_order_release);
    }
    // Nothing when a store is in progress or came between.
    [[nodiscard]] std::optional<T> try_load() const {
        u32 const before = sequence_.load(std::memory_order_acquire);
        if ((before & 1) != 0) return std::nullopt;
        u64 words[kWords];
        for (size_t i = 0; i < kWords; ++i) words[i] = words_[i].load(std::memory_order_relaxed);
        // Pairs with the writer's release fence.
        std::atomic_thread_fence(std::memory_order_acquire);
        if (sequence_.load(std::memory_order_relaxed) != before) return std::nullopt;
        T value;
        __builtin_memcpy(&value, words, sizeof value);
        return value;
    }
    [[nodiscard]] T load() const {
        while (true) {
            if (auto const value = try_load()) return *value;
            arch::pause();
        }
    }

  private:
    static constexpr size_t kWords = (sizeof(T) + 7) / 8;
    std::atomic<u32> sequence_{0};
    std::atomic<u64> words_[kWords] = {};
};

}  // namespace tutti::smp
