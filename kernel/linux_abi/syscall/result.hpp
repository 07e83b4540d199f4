// SPDX-License-Identifier: BSD-3-Clause
// What a system call handler returns, and what happens to it when a signal interrupted the call.
#pragma once

#include <concepts>

#include "base/result.hpp"
#include "base/types.hpp"
#include "linux_abi/errno.hpp"

namespace tutti::linux_abi {

// The value that the program finds in its return register: a non-negative result or a negated errno.
class SyscallResult {
  public:
    // EINTR from a call that does not restart, whatever its row says. The dispatcher makes it EINTR.
    static constexpr i64 kInterruptedForGood = -4096 - kEINTR;

    constexpr SyscallResult() = default;
    template <std::integral T>
    constexpr SyscallResult(T value) : value_{static_cast<i64>(value)} {}
    constexpr SyscallResult(Errno error) : value_{-static_cast<i64>(error)} {}
    SyscallResult(Error error)
        : value_{error == Error::InterruptedForGood ? kInterruptedForGood : -static_cast<i64>(to_errno(error))} {}
    SyscallResult(std::unexpected<Error> const& error) : SyscallResult{error.error()} {}
    template <std::integral T>
    SyscallResult(Result<T> const& result) : value_{0} {
        if (result.has_value())
            value_ = static_cast<i64>(*result);
        else
            *this = SyscallResult{result.error()};
    }
    SyscallResult(Result<> const& result) : value_{0} {
        if (!result.has_value()) *this = SyscallResult{result.error()};
    }

    [[nodiscard]] constexpr i64 value() const { return value_; }

  private:
    i64 value_ = 0;
};

// What a call that fails with EINTR does once the signal has been dealt with (signal(7), "Interruption of system
// calls"). The column of the system call table; Linux's ERESTART* codes in other words.
enum class Restart : u8 {
    Never,            // EINTR always (epoll_wait, rt_sigtimedwait, socket calls with a timeout)
    Always,           // restarts unless a handler without SA_RESTART ran (ERESTARTSYS)
    EvenWithHandler,  // restarts after any handler (ERESTARTNOINTR: FUTEX_LOCK_PI)
    NoHandler,        // restarts only when no handler ran at all (ERESTARTNOHAND: pause, sigsuspend, select)
    Resume,           // without a handler, restart_syscall continues with the remaining time (ERESTART_RESTARTBLOCK)
};

}  // namespace tutti::linux_abi
