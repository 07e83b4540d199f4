// SPDX-License-Identifier: BSD-3-Clause
// A set of CPUs, sized when the machine is known: one word inline up to 64 CPUs, an array beyond.
//
// Words are atomic so that a wake-up may read an affinity mask while another thread changes it: each bit is valid
// by itself, a set under change is not a snapshot. Changes are serialised by the owner.
#pragma once

#include <atomic>
#include <bit>
#include <new>
#include <utility>

#include "base/assert.hpp"
#include "base/bits.hpp"
#include "base/result.hpp"

namespace tutti::smp {

class CpuSet {
  public:
    // An empty set for `cpus` CPUs. Error::NoMemory.
    [[nodiscard]] static Result<CpuSet> create(u32 cpus) {
        CpuSet set;
        set.cpus_ = cpus;
        if (set.words() > 1) {
            set.array_ = new (std::nothrow) std::atomic<u64>[set.words()]{};
            if (set.array_ == nullptr) return fail(Error::NoMemory);
        }
        return set;
    }
    [[nodiscard]] static Result<CpuSet> create_all(u32 cpus) {
        CpuSet set = TRY(create(cpus));
        for (u32 i = 0; i < cpus; ++i) set.add(CpuId{i});
        return set;
    }
    constexpr CpuSet() = default;
    CpuSet(CpuSet&& other) noexcept
        : array_{std::exchange(other.array_, nullptr)},
          inline_{other.inline_.load(std::memory_order_relaxed)},
          cpus_{std::exchange(other.cpus_, 0)} {}
    CpuSet& operator=(CpuSet&& other) noexcept {
        std::swap(array_, other.array_);
        std::swap(cpus_, other.cpus_);
        u64 const word = inline_.load(std::memory_order_relaxed);
        inline_.store(other.inline_.load(std::memory_order_relaxed), std::memory_order_relaxed);
        other.inline_.store(word, std::memory_order_relaxed);
        return *this;
    }
    ~CpuSet() { delete[] array_; }

    [[nodiscard]] u32 capacity() const { return cpus_; }
    // All orders relaxed: a bit publishes nothing but itself.
    [[nodiscard]] bool contains(CpuId cpu) const {
        return cpu.value() < cpus_ && (word(cpu.value() / 64).load(std::memory_order_relaxed) & mask(cpu)) != 0;
    }
    void add(CpuId cpu) {
        ASSERT(cpu.value() < cpus_);
        word(cpu.value() / 64).fetch_or(mask(cpu), std::memory_order_relaxed);
    }
    void remove(CpuId cpu) {
        ASSERT(cpu.value() < cpus_);
        word(cpu.value() / 64).fetch_and(~mask(cpu), std::memory_order_relaxed);
    }
    void assign(CpuSet const& other) {
        ASSERT(other.cpus_ == cpus_);
        for (u32 i = 0; i < words(); ++i) set_word(i, other.word_value(i));
    }
    [[nodiscard]] u32 count() const {
        u32 total = 0;
        for (u32 i = 0; i < words(); ++i) total += static_cast<u32>(std::popcount(word_value(i)));
        return total;
    }
    [[nodiscard]] bool empty() const { return count() == 0; }

    // The lowest member at or above `from`; capacity() when there is none.
    [[nodiscard]] CpuId next_from(u32 from) const {
        for (u32 i = from / 64; i < words(); ++i) {
            u64 bits = word_value(i);
            if (i == from / 64) bits &= ~u64{0} << (from % 64);
            if (bits != 0) return CpuId{i * 64 + static_cast<u32>(std::countr_zero(bits))};
        }
        return CpuId{cpus_};
    }
    template <class Function>
    void for_each(Function&& function) const {
        for (CpuId cpu = next_from(0); cpu.value() < cpus_; cpu = next_from(cpu.value() + 1)) function(cpu);
    }

    // 64 CPUs at a time, for system-call masks.
    [[nodiscard]] u32 words() const { return cpus_ == 0 ? 1 : (cpus_ + 63) / 64; }
    [[nodiscard]] u64 word_value(u32 index) const { return word(index).load(std::memory_order_relaxed); }
    // Bits beyond capacity() are dropped.
    void set_word(u32 index, u64 value) {
        ASSERT(index < words());
        u32 const remaining = cpus_ - index * 64;
        if (remaining < 64) value &= (u64{1} << remaining) - 1;
        word(index).store(value, std::memory_order_relaxed);
    }

  private:
    static constexpr u64 mask(CpuId cpu) { return u64{1} << (cpu.value() % 64); }
    std::atomic<u64>& word(u32 index) { return array_ != nullptr ? array_[index] : inline_; }
    std::atomic<u64> const& word(u32 index) const { return array_ != nullptr ? array_[index] : inline_; }

    std::atomic<u64>* array_ = nullptr;
    std::atomic<u64> inline_{0};
    u32 cpus_ = 0;
};

}  // namespace tutti::smp
