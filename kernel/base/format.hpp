// SPDX-License-Identifier: BSD-3-Clause
// A small type-safe formatter into caller-provided memory: no allocation, no locale, any context.
//
//   "{}" default   "{:x}" hexadecimal   "{:#x}" with 0x   "{:8}" width   "{:08x}" zero-padded   "{{" and "}}" literal
//
// Takes integers, bool, char, strings, pointers, the types of base/types.hpp, Error and scoped enums.
// Output that does not fit is cut; nothing is written past the buffer.
#pragma once

#include <concepts>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti {

namespace detail {

struct FormatArg {
    enum class Kind : u8 { Unsigned, Signed, Bool, Char, String, Pointer };
    Kind kind;
    u64 bits = 0;
    std::string_view text{};
};

template <class T>
constexpr FormatArg make_format_arg(T const& value) {
    using D = std::remove_cvref_t<T>;
    using Kind = FormatArg::Kind;
    if constexpr (std::same_as<D, bool>)
        return {Kind::Bool, value};
    else if constexpr (std::same_as<D, char>)
        return {Kind::Char, static_cast<u8>(value)};
    else if constexpr (std::signed_integral<D>)
        return {Kind::Signed, static_cast<u64>(static_cast<i64>(value))};
    else if constexpr (std::unsigned_integral<D>)
        return {Kind::Unsigned, value};
    else if constexpr (std::same_as<D, Error>)
        return {Kind::String, 0, name_of(value)};
    else if constexpr (std::is_enum_v<D>)
        return make_format_arg(static_cast<std::underlying_type_t<D>>(value));
    else if constexpr (std::convertible_to<T const&, std::string_view>)
        return {Kind::String, 0, std::string_view{value}};
    else if constexpr (std::is_pointer_v<D> || std::same_as<D, std::nullptr_t>)
        return {Kind::Pointer, reinterpret_cast<u64>(static_cast<void const*>(value))};
    else if constexpr (requires { value.value(); } && !std::same_as<D, CpuId> && !std::same_as<D, FrameNumber>)
        return {Kind::Pointer, static_cast<u64>(value.value())};
    else if constexpr (requires { value.value(); })
        return {Kind::Unsigned, static_cast<u64>(value.value())};
    else if constexpr (requires { { value.count() } -> std::convertible_to<i64>; })
        return {Kind::Signed, static_cast<u64>(static_cast<i64>(value.count()))};
    else
        static_assert(sizeof(T) == 0, "base/format.hpp cannot print this type");
}

std::string_view vformat_to(std::span<char> buffer, std::string_view format, std::span<FormatArg const> args);

// Never defined: reaching it in a constant expression is the compile error that names the mistake.
void malformed_format_string(char const* why);

// Counts the replacement fields of a format string at compile time; a malformed one does not compile.
consteval int count_fields(std::string_view format) {
    int count = 0;
    for (size_t i = 0; i < format.size(); ++i) {
        if (format[i] == '{') {
            if (i + 1 < format.size() && format[i + 1] == '{') {
                ++i;
                continue;
            }
            size_t const close = format.find('}', i);
            if (close == std::string_view::npos) malformed_format_string("unterminated replacement field");
            ++count;
            i = close;
        } else if (format[i] == '}') {
            if (i + 1 >= format.size() || format[i + 1] != '}') malformed_format_string("stray } in format string");
            ++i;
        }
    }
    return count;
}

}  // namespace detail

// A format string checked against the number of its arguments at compile time.
template <class... Args>
class BasicFormatString {
  public:
    template <class S>
        requires std::convertible_to<S const&, std::string_view>
    consteval BasicFormatString(S const& text) : text_{text} {
        if (detail::count_fields(text_) != static_cast<int>(sizeof...(Args)))
            detail::malformed_format_string("number of replacement fields differs from the number of arguments");
    }
    [[nodiscard]] constexpr std::string_view text() const { return text_; }

  private:
    std::string_view text_;
};
template <class... Args>
using FormatString = BasicFormatString<std::type_identity_t<Args>...>;

// Formats into `buffer` and returns what was written (not NUL-terminated).
template <class... Args>
ISR_SAFE std::string_view format_to(std::span<char> buffer, FormatString<Args...> format, Args const&... args) {
    if constexpr (sizeof...(Args) == 0) {
        return detail::vformat_to(buffer, format.text(), {});
    } else {
        detail::FormatArg const packed[] = {detail::make_format_arg(args)...};
        return detail::vformat_to(buffer, format.text(), packed);
    }
}

}  // namespace tutti
