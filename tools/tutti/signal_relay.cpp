// SPDX-License-Identifier: BSD-3-Clause
#include "signal_relay.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

namespace tutti::cli {

SignalRelay::SignalRelay(bool ignore_interrupts) : ignore_interrupts_(ignore_interrupts) {
    sigset_t mask;
    sigemptyset(&mask);
    for (int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH}) sigaddset(&mask, number);
    ::sigprocmask(SIG_BLOCK, &mask, &old_mask_);
    ::signal(SIGPIPE, SIG_IGN);
    fd_ = UniqueFd(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
}

SignalRelay::~SignalRelay() {
    while (next()) {
    }
    ::sigprocmask(SIG_SETMASK, &old_mask_, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
}

std::optional<int> SignalRelay::next() {
    signalfd_siginfo info{};
    while (::read(fd_.get(), &info, sizeof info) == sizeof info) {
        int const number = static_cast<int>(info.ssi_signo);
        if (ignore_interrupts_ && (number == SIGINT || number == SIGQUIT)) continue;
        return number;
    }
    return std::nullopt;
}

}  // namespace tutti::cli
