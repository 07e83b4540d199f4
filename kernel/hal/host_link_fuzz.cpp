// SPDX-License-Identifier: BSD-3-Clause
// The frame decoder gives the same frames however the stream is cut, and never more data than a header said. The first
// byte is the size of the pieces.
#include "hal/host_link.hpp"

#include <cstdlib>
#include <vector>

#include "hal/manifest.hpp"

namespace {

using tutti::hal::FrameHeader;

// What a sink saw: headers and payload, as one string.
struct Trace {
    std::vector<std::uint8_t> seen;
    std::uint64_t left = 0;
    bool inside = false;

    void frame_begin(FrameHeader header) {
        if (inside || header.length > tutti::hal::kMaxFramePayload) std::abort();
        inside = true;
        left = header.length;
        seen.push_back(static_cast<std::uint8_t>(header.type));
        for (unsigned shift = 0; shift < 32; shift += 8) seen.push_back(static_cast<std::uint8_t>(header.length >> shift));
    }
    void frame_data(std::span<std::uint8_t const> bytes) {
        if (!inside || bytes.size() > left) std::abort();
        left -= bytes.size();
        seen.insert(seen.end(), bytes.begin(), bytes.end());
    }
    void frame_end(FrameHeader) {
        if (!inside || left != 0) std::abort();
        inside = false;
    }
};

bool decode(std::span<std::uint8_t const> stream, std::size_t piece, Trace& trace) {
    tutti::hal::FrameDecoder decoder;
    bool ok = true;
    while (ok && !stream.empty()) {
        std::size_t const count = piece < stream.size() ? piece : stream.size();
        ok = decoder.feed(stream.first(count), trace);
        stream = stream.subspan(count);
    }
    if (ok && decoder.at_boundary() == trace.inside) {
        // Half a header is neither at a boundary nor inside a frame.
        if (trace.inside) std::abort();
    }
    return ok;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    std::span<std::uint8_t const> const stream{data + 1, size - 1};
    Trace whole;
    Trace pieces;
    bool const whole_ok = decode(stream, stream.size(), whole);
    bool const pieces_ok = decode(stream, data[0] % 31 + 1u, pieces);
    if (whole_ok != pieces_ok || whole.seen != pieces.seen) std::abort();
    return 0;
}
