// SPDX-License-Identifier: BSD-3-Clause
#include "hal/host_link.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hal/manifest.hpp"

namespace tutti::hal {
namespace {

struct Recorder {
    std::vector<std::pair<FrameType, std::string>> frames;
    std::string payload;
    int begun = 0;
    void frame_begin(FrameHeader) {
        payload.clear();
        ++begun;
    }
    void frame_data(std::span<const std::uint8_t> bytes) { payload.append(bytes.begin(), bytes.end()); }
    void frame_end(FrameHeader header) {
        EXPECT_EQ(payload.size(), header.length);
        frames.emplace_back(header.type, payload);
    }
};

std::vector<std::uint8_t> frame(FrameType type, std::string_view payload) {
    auto const header = encode_frame_header(type, static_cast<std::uint32_t>(payload.size()));
    std::vector<std::uint8_t> bytes(header.begin(), header.end());
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    return bytes;
}

std::vector<std::uint8_t> join(std::initializer_list<std::vector<std::uint8_t>> parts) {
    std::vector<std::uint8_t> all;
    for (auto const& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

TEST(HostLink, HeaderRoundTrip) {
    for (std::uint32_t length : {0U, 1U, 255U, 256U, 65535U, kMaxFramePayload}) {
        auto const header = decode_frame_header(encode_frame_header(FrameType::Stdout, length));
        ASSERT_TRUE(header.has_value());
        EXPECT_EQ(header->type, FrameType::Stdout);
        EXPECT_EQ(header->length, length);
    }
}

TEST(HostLink, RejectsMalformedHeaders) {
    auto const good = encode_frame_header(FrameType::Stdin, 4);
    for (std::size_t i : {1U, 2U, 3U}) {
        auto bad = good;
        bad[i] = 1;
        EXPECT_FALSE(decode_frame_header(bad)) << "byte " << i;
    }
    EXPECT_FALSE(decode_frame_header(encode_frame_header(FrameType::Stdout, kMaxFramePayload + 1)));
    for (std::uint8_t type : {0, 12, 15, 20, 255}) {
        auto bad = good;
        bad[0] = type;
        EXPECT_FALSE(decode_frame_header(bad)) << "type " << int{type};
    }
}

TEST(HostLink, DecodesAnyCut) {
    auto const stream = join({frame(FrameType::Stdout, "hello"), frame(FrameType::StdinEof, ""),
                              frame(FrameType::Stderr, std::string(300, 'x'))});
    for (std::size_t step = 1; step <= stream.size(); ++step) {
        FrameDecoder decoder;
        Recorder recorder;
        for (std::size_t at = 0; at < stream.size(); at += step) {
            auto const piece = std::span(stream).subspan(at, std::min(step, stream.size() - at));
            ASSERT_TRUE(decoder.feed(piece, recorder));
        }
        EXPECT_TRUE(decoder.at_boundary());
        ASSERT_EQ(recorder.frames.size(), 3U);
        EXPECT_EQ(recorder.frames[0], std::pair(FrameType::Stdout, std::string("hello")));
        EXPECT_EQ(recorder.frames[1], std::pair(FrameType::StdinEof, std::string()));
        EXPECT_EQ(recorder.frames[2].second.size(), 300U);
    }
}

TEST(HostLink, StaysBrokenAfterGarbage) {
    FrameDecoder decoder;
    Recorder recorder;
    std::vector<std::uint8_t> const garbage(16, 0xff);
    EXPECT_FALSE(decoder.feed(garbage, recorder));
    EXPECT_FALSE(decoder.feed(frame(FrameType::Stdout, "late"), recorder));
    EXPECT_FALSE(decoder.at_boundary());
    EXPECT_EQ(recorder.begun, 0);
}

TEST(HostLink, NoticesATruncatedStream) {
    FrameDecoder decoder;
    Recorder recorder;
    auto const whole = frame(FrameType::Stdout, "hello");
    EXPECT_TRUE(decoder.feed(std::span(whole).first(whole.size() - 1), recorder));
    EXPECT_FALSE(decoder.at_boundary());
    EXPECT_TRUE(recorder.frames.empty());
}

TEST(Manifest, ReadsRecordsInOrder) {
    using namespace std::string_view_literals;
    ManifestReader reader("exe=/bin/a\0arg=a\0arg=\0env=A=B=C\0"sv);
    std::vector<std::pair<std::string, std::string>> records;
    while (auto record = reader.next()) records.emplace_back(record->key, record->value);
    EXPECT_FALSE(reader.failed());
    std::vector<std::pair<std::string, std::string>> const expected{
        {"exe", "/bin/a"}, {"arg", "a"}, {"arg", ""}, {"env", "A=B=C"}};
    EXPECT_EQ(records, expected);
}

TEST(Manifest, ReportsMalformedRecords) {
    using namespace std::string_view_literals;
    for (std::string_view text : {"exe=/bin/a"sv, "exe\0"sv, "=x\0"sv, "exe\0a=b\0"sv}) {
        ManifestReader reader(text);
        while (reader.next()) {
        }
        EXPECT_TRUE(reader.failed()) << text;
    }
}

}  // namespace
}  // namespace tutti::hal
