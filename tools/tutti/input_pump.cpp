// SPDX-License-Identifier: BSD-3-Clause
#include "input_pump.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace tutti::cli {

void InputPump::read_some() {
    std::array<std::uint8_t, 65536> buffer;
    std::size_t const wanted = std::min<std::uint64_t>(credit_, buffer.size());
    ssize_t const count = ::read(fd_, buffer.data(), wanted);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count <= 0) {  // an error reads as the end, as it does for a program
        at_end_ = true;
        link_.send(hal::FrameType::StdinEof, {});
        return;
    }
    credit_ -= static_cast<std::uint64_t>(count);
    link_.send(hal::FrameType::Stdin, std::span(buffer).first(static_cast<std::size_t>(count)));
}

}  // namespace tutti::cli
