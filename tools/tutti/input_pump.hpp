// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// Passes this command's standard input on to the guest, never more than the guest has given credit for.

#include <cstdint>

#include "link.hpp"

namespace tutti::cli {

class InputPump {
  public:
    // `fd` -1: no input.
    InputPump(int fd, Link& link) : fd_(fd), link_(link) {}

    void add_credit(std::uint32_t bytes) { credit_ += bytes; }
    // The descriptor to poll for input now, or -1.
    [[nodiscard]] int fd_to_poll() const { return at_end_ || credit_ == 0 ? -1 : fd_; }
    void read_some();

  private:
    int fd_;
    Link& link_;
    std::uint64_t credit_ = 0;
    bool at_end_ = false;
};

}  // namespace tutti::cli
