// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// Signals sent to this command, as events of the session instead of interruptions.

#include <csignal>
#include <optional>

#include "unique_fd.hpp"

namespace tutti::cli {

class SignalRelay {
  public:
    // Blocks SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 and SIGWINCH, and ignores SIGPIPE, until
    // destroyed. `ignore_interrupts`: SIGINT and SIGQUIT are ignored instead (a debugger has the terminal).
    explicit SignalRelay(bool ignore_interrupts = false);
    ~SignalRelay();
    SignalRelay(SignalRelay const&) = delete;
    SignalRelay& operator=(SignalRelay const&) = delete;

    [[nodiscard]] int fd() const { return fd_.get(); }
    std::optional<int> next();  // a signal that has arrived; does not wait

  private:
    UniqueFd fd_;
    sigset_t old_mask_{};
    bool ignore_interrupts_;
};

}  // namespace tutti::cli
