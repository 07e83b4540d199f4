// SPDX-License-Identifier: BSD-3-Clause
// Per-CPU variables: each subsystem declares its own.
//
//   PERCPU_SECTION constinit smp::PerCpu<Counter> counter;    one copy per CPU, starting as a copy of the initial value
//   counter.local(pinned).field                               this CPU's copy
//   counter.on(cpu)                                           any CPU's copy: what it holds must allow that
//
// PerCpu<T> of an integer or pointer adds load(), store() and add(): one instruction, atomic with respect to
// interrupts of this CPU, and correct in any context because there is no address to go stale.
#pragma once

#include <atomic>
#include <new>
#include <type_traits>

#include "arch/percpu.hpp"
#include "base/result.hpp"
#include "hal/cpu.hpp"
#include "smp/context/context.hpp"

#define PERCPU_SECTION [[gnu::section(".percpu"), gnu::used]]

namespace tutti::smp {

// CPUs found at boot, and those that have come up so far.
[[nodiscard]] inline u32 cpu_count() { return hal::cpu_count(); }
[[nodiscard]] u32 online_count();
[[nodiscard]] bool is_online(CpuId cpu);
// Called on each CPU when it can take interrupts and calls from others.
void set_online(CpuId cpu);

[[nodiscard]] inline CpuId this_cpu(Pinned const&) { return CpuId{arch::percpu_index()}; }
// May be wrong by the time the caller looks at it: for hints and messages.
[[nodiscard]] inline CpuId this_cpu_unstable() { return CpuId{arch::percpu_index()}; }

template <class Function>
void for_each_cpu(Function&& function) {
    u32 const count = cpu_count();
    for (u32 i = 0; i < count; ++i) function(CpuId{i});
}
template <class Function>
void for_each_online_cpu(Function&& function) {
    for_each_cpu([&](CpuId cpu) {
        if (is_online(cpu)) function(cpu);
    });
}

// A value with cache lines of its own: PerCpu<CachePadded<T>> for what other CPUs write, beside what this CPU uses all the
// time.
template <class T>
struct alignas(kCacheLine) CachePadded {
    T value{};
};

template <class T>
class PerCpu {
  public:
    constexpr PerCpu() : value_{} {}
    template <class... Args>
    constexpr explicit PerCpu(std::in_place_t, Args&&... args) : value_(std::forward<Args>(args)...) {}
    constexpr explicit PerCpu(T initial)
        requires std::is_trivially_copyable_v<T>
        : value_{initial} {}
    PerCpu(PerCpu const&) = delete;
    PerCpu& operator=(PerCpu const&) = delete;
    // Lives as long as the kernel: the value is never destroyed, and no destructor is registered.
    constexpr ~PerCpu()
        requires(!std::is_trivially_destructible_v<T>)
    {}
    constexpr ~PerCpu() = default;

    [[nodiscard]] T& local(Pinned const&) { return *arch::percpu_address(value_); }
    // For checks of the rung itself, which have no proof of it.
    [[nodiscard]] T& local_unchecked() { return *arch::percpu_address(value_); }
    [[nodiscard]] T& on(CpuId cpu) { return *arch::percpu_address_in(hal::percpu_area(cpu), value_); }

    [[nodiscard]] T load() const
        requires std::is_scalar_v<T>
    {
        return arch::percpu_load(value_);
    }
    void store(T value)
        requires std::is_scalar_v<T>
    {
        arch::percpu_store(value_, value);
    }
    void add(T amount)
        requires std::integral<T>
    {
        arch::percpu_add(value_, amount);
    }

  private:
    union {
        T value_;
    };
};

// Per-CPU storage made at run time: an array with a cache line of its own for each CPU's T.
template <class T>
class DynamicPerCpu {
  public:
    constexpr DynamicPerCpu() = default;
    DynamicPerCpu(DynamicPerCpu&& other) noexcept
        : slots_{std::exchange(other.slots_, nullptr)}, count_{std::exchange(other.count_, 0)} {}
    DynamicPerCpu& operator=(DynamicPerCpu&& other) noexcept {
        std::swap(slots_, other.slots_);
        std::swap(count_, other.count_);
        return *this;
    }
    ~DynamicPerCpu() {
        if (slots_ == nullptr) return;
        for (u32 i = 0; i < count_; ++i) slots_[i].~Slot();
        ::operator delete(static_cast<void*>(slots_), std::align_val_t{alignof(Slot)});
    }

    // Value-initialised copies for all CPUs. Error::NoMemory. Thread context.
    [[nodiscard]] static Result<DynamicPerCpu> create() {
        DynamicPerCpu made;
        u32 const count = cpu_count();
        void* const memory = ::operator new(count * sizeof(Slot), std::align_val_t{alignof(Slot)}, std::nothrow);
        if (memory == nullptr) return fail(Error::NoMemory);
        made.slots_ = static_cast<Slot*>(memory);
        for (; made.count_ < count; ++made.count_) new (static_cast<void*>(made.slots_ + made.count_)) Slot{};
        return made;
    }

    [[nodiscard]] T& local(Pinned const& pinned) const { return slots_[this_cpu(pinned).value()].value; }
    [[nodiscard]] T& on(CpuId cpu) const {
        ASSERT(cpu.value() < count_);
        return slots_[cpu.value()].value;
    }

  private:
    using Slot = CachePadded<T>;
    Slot* slots_ = nullptr;
    u32 count_ = 0;
};

}  // namespace tutti::smp
