// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// The failure of a command: what went wrong, what to do next, and the command's exit status.

#include <stdexcept>
#include <string>

namespace tutti::cli {

// Exit statuses of `tutti` itself; anything else is the program's own.
inline constexpr int kTimedOut = 124;
inline constexpr int kTuttiFailed = 125;
inline constexpr int kNotExecutable = 126;
inline constexpr int kNotFound = 127;
inline constexpr int kSignalBase = 128;

class CliError : public std::runtime_error {
  public:
    explicit CliError(std::string const& message, int status = kTuttiFailed)
        : std::runtime_error(message), status_(status) {}
    [[nodiscard]] int status() const { return status_; }

  private:
    int status_;
};

}  // namespace tutti::cli
