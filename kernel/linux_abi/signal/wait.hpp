// SPDX-License-Identifier: BSD-3-Clause
// Temporary signal masks, and waiting for signals without a handler.
#pragma once

#include "base/result.hpp"
#include "linux_abi/abi/signal.hpp"
#include "linux_abi/user_memory.hpp"

namespace tutti::linux_abi {

class Task;

// Sleeps until a signal that the task does not block is pending, then fails with Error::Interrupted; or until
// `deadline` (Error::TimedOut).
Result<> wait_for_signal(Task& task, Deadline deadline);

// Takes a pending signal out of `set`, waiting until `deadline`. Error::TimedOut, or Error::Interrupted when another
// signal's handler must run first.
Result<SigInfo> wait_for_signal_in(Task& task, SignalSet set, Deadline deadline);

// Takes a pending signal out of `set` without waiting (signalfd). Error::WouldBlock when there is none.
Result<SigInfo> take_signal_in(Task& task, SignalSet set);

// Installs `mask` until the call returns: ppoll, pselect, epoll_pwait, sigsuspend. When a handler runs, the old mask
// comes back after it; otherwise restore() brings it back.
class TemporaryMask {
  public:
    explicit TemporaryMask(Task& task) : task_{task} {}
    ~TemporaryMask();
    TemporaryMask(TemporaryMask const&) = delete;
    TemporaryMask& operator=(TemporaryMask const&) = delete;

    // Reads the set at `mask` unless it is null. Error::InvalidArgument when `size` is not that of a signal set.
    Result<> install(UserPtr<SignalSet> mask, u64 size);
    // The call was interrupted: the signal is taken under the temporary mask, which return_to_user replaces.
    void keep_for_delivery() { keep_ = true; }

  private:
    Task& task_;
    bool installed_ = false;
    bool keep_ = false;
};

}  // namespace tutti::linux_abi
