// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// Bytes on their way to a descriptor, written when poll(2) says it takes them.

#include <cstddef>
#include <string>
#include <string_view>

namespace tutti::cli {

class ByteQueue {
  public:
    enum class State { Open, Closed };  // Closed: the reader has gone

    // `fd` stays the caller's. A blocking descriptor is never written more than a pipe surely takes.
    explicit ByteQueue(int fd);

    void push(std::string_view bytes) {
        if (state_ == State::Open) bytes_.append(bytes);
    }
    // Writes what can be written now, after poll() reported POLLOUT. Throws CliError on an I/O error (a full
    // disk, say).
    void flush_some();
    void discard() {
        bytes_.clear();
        at_ = 0;
    }

    [[nodiscard]] bool empty() const { return at_ == bytes_.size(); }
    [[nodiscard]] std::size_t size() const { return bytes_.size() - at_; }
    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] State state() const { return state_; }

  private:
    int fd_;
    std::size_t chunk_;
    std::string bytes_;
    std::size_t at_ = 0;  // bytes before it are written
    State state_ = State::Open;
};

}  // namespace tutti::cli
