// SPDX-License-Identifier: BSD-3-Clause
// Signals that were sent and not yet taken: one of these for the process and one for each thread.
#pragma once

#include "base/intrusive_list.hpp"
#include "linux_abi/abi/signal.hpp"

namespace tutti::linux_abi {

// A signal with its siginfo. Allocated by the sender, or part of a POSIX timer (so that expiry in interrupt context
// needs no memory).
struct QueuedSignal {
    enum class Owner : u8 { Heap, Timer };

    ListNode node;
    SigInfo info;
    Owner owner = Owner::Heap;
    bool queued = false;         // guarded by the thread-group lock, as is delivered_overrun
    i32 delivered_overrun = 0;  // timers: overrun count of the signal taken last
};

// Not locked: every member function needs the thread-group lock.
class PendingSignals {
  public:
    [[nodiscard]] SignalSet set() const { return set_; }

    // True when another instance of `signal` must be dropped: a standard signal is pending at most once.
    [[nodiscard]] bool absorbs(i32 signal) const { return signal < kSIGRTMIN && set_.contains(signal); }

    void add(QueuedSignal& entry) {
        entry.queued = true;
        queue_.push_back(entry);
        set_.add(SignalSet::of(entry.info.signo));
    }
    // For a standard signal when there is no memory for its information: pending all the same (signal(7)).
    void add_without_info(i32 signal) { set_.add(SignalSet::of(signal)); }

    // Takes one instance of `signal`, which is pending, into `info`. The result is the entry, to be released by
    // release_queued_signal once the lock is no longer held; null when there was none, or a timer's: that may be gone as
    // soon as the lock is free.
    [[nodiscard]] QueuedSignal* take(i32 signal, SigInfo& info);

    // Removes every instance of the signals in `which`, into `removed` what is to be released.
    void discard(SignalSet which, IntrusiveList<QueuedSignal, &QueuedSignal::node>& removed);

    // Removes one particular entry, if it is queued here (a timer that is deleted).
    bool remove(QueuedSignal& entry);

  private:
    [[nodiscard]] bool has_more(i32 signal);

    SignalSet set_;
    IntrusiveList<QueuedSignal, &QueuedSignal::node> queue_;
};

// Gives back what take or discard returned. Thread context, no lock held.
void release_queued_signal(QueuedSignal* entry);

}  // namespace tutti::linux_abi
