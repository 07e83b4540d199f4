// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// The guest's side of the host link (host_link.hpp) where there is no port for it: lines of text on the console, among the
// kernel's. A line is kLinkLineMark and the next bytes of the stream, up to kLinkLineBytes, in base64 without padding. One
// way: the guest gets no input. Shared by both sides; freestanding.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tutti::hal {

inline constexpr char kLinkLineMark = '~';
// With mark and newline fewer than 128 characters, which Xen's consoles take as a whole.
inline constexpr std::size_t kLinkLineBytes = 90;
inline constexpr std::size_t kLinkLineLength = 1 + kLinkLineBytes / 3 * 4;

namespace detail {
inline constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}

// Up to kLinkLineBytes bytes as a line without its newline; its length.
constexpr std::size_t encode_link_line(std::span<const std::uint8_t> bytes, std::span<char, kLinkLineLength> line) {
    std::size_t length = 0;
    line[length++] = kLinkLineMark;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const std::uint8_t byte : bytes) {
        bits = bits << 8 | byte;
        for (count += 8; count >= 6; count -= 6) line[length++] = detail::kBase64[bits >> (count - 6) & 63];
    }
    if (count != 0) line[length++] = detail::kBase64[bits << (6 - count) & 63];
    return length;
}

// The bytes of a line, without its newline; their number, or nothing when it is no such line.
constexpr std::optional<std::size_t> decode_link_line(std::string_view line, std::span<std::uint8_t, kLinkLineBytes> bytes) {
    if (line.empty() || line.front() != kLinkLineMark || line.size() > kLinkLineLength || line.size() % 4 == 2) return std::nullopt;
    std::size_t length = 0;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : line.substr(1)) {
        const std::size_t digit = detail::kBase64.find(c);
        if (digit == std::string_view::npos) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes[length++] = static_cast<std::uint8_t>(bits >> count);
        }
    }
    return length;
}

}  // namespace tutti::hal
