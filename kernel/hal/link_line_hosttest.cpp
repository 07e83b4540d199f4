// SPDX-License-Identifier: BSD-3-Clause
#include "hal/link_line.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tutti::hal {
namespace {

std::string encoded(std::vector<std::uint8_t> const& bytes) {
    std::array<char, kLinkLineLength> line{};
    return {line.data(), encode_link_line(bytes, line)};
}
std::optional<std::vector<std::uint8_t>> decoded(std::string const& line) {
    std::array<std::uint8_t, kLinkLineBytes> bytes{};
    auto const length = decode_link_line(line, bytes);
    if (!length) return std::nullopt;
    return std::vector<std::uint8_t>(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(*length));
}

TEST(LinkLine, is_base64) {
    EXPECT_EQ(encoded({}), "~");
    EXPECT_EQ(encoded({'M', 'a', 'n'}), "~TWFu");
    EXPECT_EQ(encoded({'M', 'a'}), "~TWE");
    EXPECT_EQ(encoded({'M'}), "~TQ");
    EXPECT_EQ(encoded({0xff, 0xef, 0xbe}), "~/+++");
}

TEST(LinkLine, gives_every_length_back) {
    for (std::size_t length = 0; length <= kLinkLineBytes; ++length) {
        std::vector<std::uint8_t> bytes(length);
        for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::uint8_t>(i * 37 + length);
        std::string const line = encoded(bytes);
        EXPECT_LE(line.size(), kLinkLineLength);
        EXPECT_EQ(decoded(line), bytes) << length;
    }
}

TEST(LinkLine, other_lines_are_none) {
    for (char const* line : {"", "ok 1 - a test", "~TW Fu", "~T", "~TWFuT", "~~", "~TWF=", " ~TWFu"}) EXPECT_FALSE(decoded(line)) << line;
    EXPECT_FALSE(decoded("~" + std::string(kLinkLineLength, 'A')));
}

}  // namespace
}  // namespace tutti::hal
