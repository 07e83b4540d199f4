// SPDX-License-Identifier: BSD-3-Clause
// Integer helpers: alignment, powers of two, ranges, unaligned and little-endian loads.
#pragma once

#include <bit>
#include <concepts>
#include <cstring>

#include "base/types.hpp"

namespace tutti {

template <std::unsigned_integral T>
[[nodiscard]] constexpr bool is_power_of_two(T value) { return std::has_single_bit(value); }

// `alignment` is a power of two. align_up wraps at the end of the type's range: check untrusted input first.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T align_down(T value, std::type_identity_t<T> alignment) { return value & ~(alignment - 1); }
template <std::unsigned_integral T>
[[nodiscard]] constexpr T align_up(T value, std::type_identity_t<T> alignment) {
    return (value + alignment - 1) & ~(alignment - 1);
}
template <std::unsigned_integral T>
[[nodiscard]] constexpr bool is_aligned(T value, std::type_identity_t<T> alignment) {
    return (value & (alignment - 1)) == 0;
}
[[nodiscard]] constexpr u64 pages_for(u64 bytes) { return (bytes >> kPageShift) + ((bytes & kPageMask) != 0); }

template <std::unsigned_integral T>
[[nodiscard]] constexpr T div_ceil(T a, std::type_identity_t<T> b) { return a / b + (a % b != 0); }

// True when [base, base + size) does not wrap and lies inside [0, limit).
[[nodiscard]] constexpr bool range_within(u64 base, u64 size, u64 limit) {
    return base <= limit && size <= limit - base;
}

// Loads a little-endian value from memory of any alignment.
template <std::integral T>
[[nodiscard]] inline T load_le(void const* from) {
    T value;
    __builtin_memcpy(&value, from, sizeof value);
    if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
    return value;
}
template <std::integral T>
inline void store_le(void* to, T value) {
    if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
    __builtin_memcpy(to, &value, sizeof value);
}

}  // namespace tutti
