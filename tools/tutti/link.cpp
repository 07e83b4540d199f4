// SPDX-License-Identifier: BSD-3-Clause
#include "link.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace tutti::cli {
namespace {

bool is_stream(hal::FrameType type) {
    using enum hal::FrameType;
    return type == Stdout || type == Stderr || type == Log || type == FileData;
}

bool is_from_guest(hal::FrameType type) { return type < hal::FrameType::Stdin; }

UniqueFd non_blocking(UniqueFd fd) {
    ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
    return fd;
}

}  // namespace

Link::Link(UniqueFd fd, LinkEvents& events) : fd_(non_blocking(std::move(fd))), events_(events), queue_(fd_.get()) {}

void Link::send(hal::FrameType type, std::span<const std::uint8_t> payload) {
    do {
        auto const piece = payload.first(std::min<std::size_t>(payload.size(), hal::kMaxFramePayload));
        auto const header = hal::encode_frame_header(type, static_cast<std::uint32_t>(piece.size()));
        queue_.push({reinterpret_cast<char const*>(header.data()), header.size()});
        queue_.push({reinterpret_cast<char const*>(piece.data()), piece.size()});
        payload = payload.subspan(piece.size());
    } while (!payload.empty());
}

void Link::read_some() {
    std::array<std::uint8_t, 65536> buffer;
    ssize_t const count = ::read(fd_.get(), buffer.data(), buffer.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
        state_ = State::Closed;
        return;
    }
    receive(std::span(buffer).first(static_cast<std::size_t>(count)));
}

void Link::receive(std::span<const std::uint8_t> bytes) {
    if (state_ == State::Open && !decoder_.feed(bytes, *this)) state_ = State::Broken;
}

void Link::frame_begin(hal::FrameHeader header) {
    current_ = header;
    payload_.clear();
}

void Link::frame_data(std::span<const std::uint8_t> bytes) {
    if (is_stream(current_.type)) {
        events_.stream_data(current_.type, bytes);
    } else {
        payload_.append(bytes.begin(), bytes.end());
    }
}

void Link::frame_end(hal::FrameHeader header) {
    if (!is_from_guest(header.type)) {
        state_ = State::Broken;
    } else if (!is_stream(header.type)) {
        events_.control_frame(header.type, {reinterpret_cast<std::uint8_t const*>(payload_.data()), payload_.size()});
    }
}

}  // namespace tutti::cli
