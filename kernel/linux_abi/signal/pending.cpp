// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/signal/pending.hpp"

namespace tutti::linux_abi {

bool PendingSignals::has_more(i32 signal) {
    for (QueuedSignal const& entry : queue_)
        if (entry.info.signo == signal) return true;
    return false;
}

QueuedSignal* PendingSignals::take(i32 signal, SigInfo& info) {
    for (QueuedSignal& entry : queue_) {
        if (entry.info.signo != signal) continue;
        info = entry.info;
        if (entry.owner == QueuedSignal::Owner::Timer) entry.delivered_overrun = info.fields.timer.overrun;
        queue_.remove(entry);
        entry.queued = false;
        if (!has_more(signal)) set_.remove(SignalSet::of(signal));
        return entry.owner == QueuedSignal::Owner::Heap ? &entry : nullptr;
    }
    info = SigInfo{};
    info.signo = signal;
    info.code = kSiUser;
    set_.remove(SignalSet::of(signal));
    return nullptr;
}

ISR_SAFE void PendingSignals::discard(SignalSet which, IntrusiveList<QueuedSignal, &QueuedSignal::node>& removed) {
    set_.remove(which);
    for (auto it = queue_.begin(); it != queue_.end();) {
        QueuedSignal& entry = *it;
        ++it;
        if (!which.contains(entry.info.signo)) continue;
        queue_.remove(entry);
        entry.queued = false;
        if (entry.owner == QueuedSignal::Owner::Heap) removed.push_back(entry);
    }
}

bool PendingSignals::remove(QueuedSignal& entry) {
    for (QueuedSignal const& candidate : queue_) {
        if (&candidate != &entry) continue;
        queue_.remove(entry);
        entry.queued = false;
        if (!has_more(entry.info.signo)) set_.remove(SignalSet::of(entry.info.signo));
        return true;
    }
    return false;
}

void release_queued_signal(QueuedSignal* entry) { delete entry; }

}  // namespace tutti::linux_abi
