// SPDX-License-Identifier: BSD-3-Clause
// Strong types for the quantities that must never be mixed up. They cost nothing: one register each.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/isr_marks.hpp"

namespace tutti {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;
using std::size_t;
using uptr = std::uintptr_t;

inline constexpr unsigned kPageShift = 12;
inline constexpr u64 kPageSize = u64{1} << kPageShift;
inline constexpr u64 kPageMask = kPageSize - 1;

namespace detail {

// An address-like value: ordered, with offsets in bytes.
template <class Tag>
class Address {
  public:
    constexpr Address() = default;
    constexpr explicit Address(u64 value) : value_{value} {}

    [[nodiscard]] constexpr u64 value() const { return value_; }
    [[nodiscard]] constexpr bool is_null() const { return value_ == 0; }
    [[nodiscard]] constexpr Address page_base() const { return Address{value_ & ~kPageMask}; }
    [[nodiscard]] constexpr u64 page_offset() const { return value_ & kPageMask; }
    [[nodiscard]] constexpr bool is_page_aligned() const { return (value_ & kPageMask) == 0; }

    friend constexpr Address operator+(Address a, u64 bytes) { return Address{a.value_ + bytes}; }
    friend constexpr Address operator-(Address a, u64 bytes) { return Address{a.value_ - bytes}; }
    friend constexpr u64 operator-(Address a, Address b) { return a.value_ - b.value_; }
    constexpr Address& operator+=(u64 bytes) { value_ += bytes; return *this; }
    constexpr Address& operator-=(u64 bytes) { value_ -= bytes; return *this; }
    friend constexpr auto operator<=>(Address, Address) = default;

  private:
    u64 value_ = 0;
};

}  // namespace detail

using PhysAddr = detail::Address<struct PhysTag>;

// A virtual address, the kernel's or a program's. as<T>() is for kernel addresses only: a program's memory is
// reached through vm/user_copy.hpp.
class VirtAddr : public detail::Address<struct VirtTag> {
  public:
    using Base = detail::Address<struct VirtTag>;
    using Base::Base;
    constexpr VirtAddr(Base base) : Base{base} {}
    explicit VirtAddr(void const* pointer) : Base{reinterpret_cast<u64>(pointer)} {}

    template <class T = void>
    [[nodiscard]] T* as() const { return reinterpret_cast<T*>(value()); }
    [[nodiscard]] constexpr VirtAddr page_base() const { return Base::page_base(); }
};

struct PhysRange {
    PhysAddr base;
    u64 size = 0;  // bytes

    [[nodiscard]] constexpr PhysAddr end() const { return base + size; }
    [[nodiscard]] constexpr bool contains(PhysAddr a) const { return a >= base && a - base < size; }
};

// Index of a 4 KiB page of physical memory.
class FrameNumber {
  public:
    constexpr FrameNumber() = default;
    constexpr explicit FrameNumber(u64 value) : value_{value} {}
    static constexpr FrameNumber of(PhysAddr address) { return FrameNumber{address.value() >> kPageShift}; }

    [[nodiscard]] constexpr u64 value() const { return value_; }
    [[nodiscard]] constexpr PhysAddr address() const { return PhysAddr{value_ << kPageShift}; }
    friend constexpr FrameNumber operator+(FrameNumber a, u64 n) { return FrameNumber{a.value_ + n}; }
    friend constexpr u64 operator-(FrameNumber a, FrameNumber b) { return a.value_ - b.value_; }
    friend constexpr auto operator<=>(FrameNumber, FrameNumber) = default;

  private:
    u64 value_ = 0;
};

// Dense CPU index, 0 .. cpu_count()-1, in the order of discovery; not the hardware's id.
class CpuId {
  public:
    constexpr CpuId() = default;
    constexpr explicit CpuId(u32 value) : value_{value} {}
    [[nodiscard]] constexpr u32 value() const { return value_; }
    friend constexpr auto operator<=>(CpuId, CpuId) = default;

  private:
    u32 value_ = 0;
};

// A span of time, or a point in time since boot (monotonic clock), in nanoseconds.
class Nanoseconds {
  public:
    constexpr Nanoseconds() = default;
    constexpr explicit Nanoseconds(i64 count) : count_{count} {}
    static constexpr Nanoseconds from_us(i64 n) { return Nanoseconds{n * 1'000}; }
    static constexpr Nanoseconds from_ms(i64 n) { return Nanoseconds{n * 1'000'000}; }
    static constexpr Nanoseconds from_s(i64 n) { return Nanoseconds{n * 1'000'000'000}; }
    static constexpr Nanoseconds max() { return Nanoseconds{std::numeric_limits<i64>::max()}; }

    [[nodiscard]] constexpr i64 count() const { return count_; }
    // Saturates: a deadline far in the future stays in the future.
    friend constexpr Nanoseconds operator+(Nanoseconds a, Nanoseconds b) {
        i64 sum = 0;
        if (__builtin_add_overflow(a.count_, b.count_, &sum))
            return Nanoseconds{b.count_ > 0 ? std::numeric_limits<i64>::max() : std::numeric_limits<i64>::min()};
        return Nanoseconds{sum};
    }
    friend constexpr Nanoseconds operator-(Nanoseconds a, Nanoseconds b) {
        i64 difference = 0;
        if (__builtin_sub_overflow(a.count_, b.count_, &difference))
            return Nanoseconds{b.count_ < 0 ? std::numeric_limits<i64>::max() : std::numeric_limits<i64>::min()};
        return Nanoseconds{difference};
    }
    constexpr Nanoseconds& operator+=(Nanoseconds b) { return *this = *this + b; }
    constexpr Nanoseconds& operator-=(Nanoseconds b) { return *this = *this - b; }
    friend constexpr auto operator<=>(Nanoseconds, Nanoseconds) = default;

  private:
    i64 count_ = 0;
};

// A point on the monotonic clock at which a wait gives up. kNever waits for ever.
using Deadline = Nanoseconds;
inline constexpr Deadline kNever = Nanoseconds::max();

}  // namespace tutti
