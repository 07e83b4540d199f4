// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// The host link: the byte protocol between the `tutti` command on the host and the kernel, over one
// virtio-console port. Shared by both sides, so it depends on nothing but freestanding headers.
//
//   frame  = header payload
//   header = u8 type, u8 flags (0), u16 reserved (0), u32 payload length   little-endian, 8 bytes
//
// Both directions are independent, reliable, ordered byte streams of frames. Frames of one direction never
// interleave: a sender finishes a frame before it starts another. A payload is at most kMaxFramePayload
// bytes; longer data is cut into several frames. A header that breaks these rules ends the session: the
// receiver cannot find the next frame.
//
// A session, as the host sees it:
//
//   guest                                   host
//     Ready (at the first user instruction)
//     StdinCredit 65536 ------------------>
//     <------------------- Stdin 1200 bytes     never more than the credit given and not yet used
//     Stdout, Stderr ... ----------------->     in the order of the program's writes
//     <------------------------- Signal 15     at any time
//     FileBegin, FileData*, FileEnd ------>     each result file, after the program has ended
//     Summary ---------------------------->
//     Exit ------------------------------->     last frame; then the guest powers off
//
// Kernel log messages do not travel here but on COM1, so that a crash needs no working device driver.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/isr_marks.hpp"

namespace tutti::hal {

enum class FrameType : std::uint8_t {
    // Guest to host.
    Stdout = 1,       // bytes the program wrote to its standard output
    Stderr = 2,       // bytes the program wrote to its standard error
    Exit = 3,         // ExitPayload; the last frame
    FileBegin = 4,    // FileBeginPayload, then the path in the guest (no NUL)
    FileData = 5,     // the next bytes of that file
    FileEnd = 6,      // no payload; the file has as many bytes as FileBegin said
    Log = 7,          // kernel log text for the command's --verbose output (COM1 remains the primary log)
    Summary = 8,      // one JSON object: {"boot_ns":N,"wall_ns":N,"cpus":[{"busy_ns":N,"idle_ns":N},...]}
    StdinCredit = 9,  // CreditPayload: how many bytes more the host may send
    Ready = 10,       // ReadyPayload; sent once, just before the first user instruction
    Note = 11,        // UTF-8 text without a newline that the command prints as "tutti: TEXT" on stderr
    // Host to guest.
    Stdin = 16,      // bytes of the program's standard input
    StdinEof = 17,   // no payload; no Stdin follows. Needs no credit
    Signal = 18,     // SignalPayload: deliver to the program
    WindowSize = 19  // WindowSizePayload: the terminal's size, at the start and after a change
};

inline constexpr std::size_t kFrameHeaderSize = 8;
inline constexpr std::uint32_t kMaxFramePayload = 65536;

struct FrameHeader {
    FrameType type;
    std::uint32_t length;  // payload bytes
};

// Payloads with fields: little-endian, no padding. memcpy them on and off the wire (both sides are
// little-endian; checked below).
struct ExitPayload {
    std::uint32_t exit_code;  // 0..255 when signal is 0
    std::uint32_t signal;     // the fatal signal, or 0
};
struct FileBeginPayload {
    std::uint32_t mode;      // st_mode: type and permissions. A directory has no data; a symbolic link's is its target
    std::uint32_t reserved;  // 0
    std::uint64_t size;      // bytes of FileData to come
};
struct CreditPayload {
    std::uint32_t bytes;
};
struct ReadyPayload {
    std::uint64_t since_boot_ns;
};
struct SignalPayload {
    std::uint32_t number;
};
struct WindowSizePayload {
    std::uint16_t rows;
    std::uint16_t columns;
};

#ifdef __BYTE_ORDER__
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the wire format is the machine's own");
#endif
static_assert(sizeof(ExitPayload) == 8 && sizeof(FileBeginPayload) == 16 && sizeof(CreditPayload) == 4);
static_assert(sizeof(ReadyPayload) == 8 && sizeof(SignalPayload) == 4 && sizeof(WindowSizePayload) == 4);

// The header's bytes for a frame of `length` <= kMaxFramePayload payload bytes.
constexpr std::array<std::uint8_t, kFrameHeaderSize> encode_frame_header(FrameType type, std::uint32_t length) {
    return {static_cast<std::uint8_t>(type),
            0,
            0,
            0,
            static_cast<std::uint8_t>(length),
            static_cast<std::uint8_t>(length >> 8),
            static_cast<std::uint8_t>(length >> 16),
            static_cast<std::uint8_t>(length >> 24)};
}

// Nothing when the bytes are no header of this protocol: unknown type, non-zero reserved bits, too long.
constexpr std::optional<FrameHeader> decode_frame_header(std::span<const std::uint8_t, kFrameHeaderSize> bytes) {
    const std::uint32_t length = static_cast<std::uint32_t>(bytes[4]) | static_cast<std::uint32_t>(bytes[5]) << 8 |
                                 static_cast<std::uint32_t>(bytes[6]) << 16 |
                                 static_cast<std::uint32_t>(bytes[7]) << 24;
    const std::uint8_t type = bytes[0];
    const bool known = (type >= 1 && type <= 11) || (type >= 16 && type <= 19);
    if (!known || bytes[1] != 0 || bytes[2] != 0 || bytes[3] != 0 || length > kMaxFramePayload) return std::nullopt;
    return FrameHeader{static_cast<FrameType>(type), length};
}

// Cuts a byte stream into frames as it arrives, in pieces of any size, without a payload buffer. The sink
// has three functions, called in stream order:
//
//   void frame_begin(FrameHeader)             once for each frame
//   void frame_data(std::span<const uint8_t>)  zero or more times; the pieces add up to header.length
//   void frame_end(FrameHeader)               once, after the last piece
//
// One owner at a time; calls nothing but the sink, so its context rung is the sink's.
class FrameDecoder {
  public:
    // Consumes all of `bytes`. False when the stream broke the protocol; from then on it only says false.
    template <class Sink>
    [[nodiscard]] ISR_SAFE bool feed(std::span<const std::uint8_t> bytes, Sink&& sink) {
        while (!broken_ && !bytes.empty()) {
            if (header_bytes_ < kFrameHeaderSize) {
                header_[header_bytes_++] = bytes.front();
                bytes = bytes.subspan(1);
                if (header_bytes_ == kFrameHeaderSize) begin(sink);
                continue;
            }
            const std::size_t count = bytes.size() < remaining_ ? bytes.size() : remaining_;
            sink.frame_data(bytes.first(count));
            bytes = bytes.subspan(count);
            remaining_ -= static_cast<std::uint32_t>(count);
            if (remaining_ == 0) end(sink);
        }
        return !broken_;
    }

    // True between frames: a stream that ends here is complete.
    [[nodiscard]] bool at_boundary() const { return header_bytes_ == 0 && !broken_; }

  private:
    template <class Sink>
    void begin(Sink& sink) {
        const std::optional<FrameHeader> header = decode_frame_header(header_);
        if (!header) {
            broken_ = true;
            return;
        }
        current_ = *header;
        remaining_ = header->length;
        sink.frame_begin(current_);
        if (remaining_ == 0) end(sink);
    }

    template <class Sink>
    void end(Sink& sink) {
        header_bytes_ = 0;
        sink.frame_end(current_);
    }

    std::array<std::uint8_t, kFrameHeaderSize> header_{};
    std::size_t header_bytes_ = 0;
    FrameHeader current_{};
    std::uint32_t remaining_ = 0;
    bool broken_ = false;
};

}  // namespace tutti::hal
