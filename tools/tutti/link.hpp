// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// The host's end of the host link (kernel/hal/host_link.hpp): frames over a stream socket that does not block.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "byte_queue.hpp"
#include "hal/host_link.hpp"
#include "unique_fd.hpp"

namespace tutti::cli {

// Receives what the guest sends. `control_frame` gets whole payloads; `stream_data` the bytes of Stdout,
// Stderr, Log and FileData frames as they arrive.
class LinkEvents {
  public:
    virtual ~LinkEvents() = default;
    virtual void stream_data(hal::FrameType type, std::span<const std::uint8_t> bytes) = 0;
    virtual void control_frame(hal::FrameType type, std::span<const std::uint8_t> payload) = 0;
};

class Link {
  public:
    enum class State { Open, Closed, Broken };  // Broken: the guest broke the protocol

    // Owns `fd`, one end of a socket pair, and makes it non-blocking. `events` must outlive this.
    Link(UniqueFd fd, LinkEvents& events);

    // Queues one frame, cut when longer than a frame may be.
    void send(hal::FrameType type, std::span<const std::uint8_t> payload);
    template <class Payload>
    void send_struct(hal::FrameType type, Payload const& payload) {
        send(type, {reinterpret_cast<std::uint8_t const*>(&payload), sizeof payload});
    }

    // Bytes that came another way than through the socket.
    void receive(std::span<const std::uint8_t> bytes);
    void read_some();   // after POLLIN: reads once and delivers
    void write_some() { queue_.flush_some(); }  // after POLLOUT
    [[nodiscard]] bool wants_to_write() const { return !queue_.empty(); }
    [[nodiscard]] std::size_t unsent() const { return queue_.size(); }
    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] State state() const { return state_; }

    // FrameDecoder's sink.
    void frame_begin(hal::FrameHeader header);
    void frame_data(std::span<const std::uint8_t> bytes);
    void frame_end(hal::FrameHeader header);

  private:
    UniqueFd fd_;
    LinkEvents& events_;
    ByteQueue queue_;
    hal::FrameDecoder decoder_;
    hal::FrameHeader current_{};
    std::string payload_;
    State state_ = State::Open;
};

}  // namespace tutti::cli
