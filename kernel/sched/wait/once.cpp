// SPDX-License-Identifier: BSD-3-Clause
#include "sched/wait/once.hpp"

namespace tutti::sched {

namespace {
uptr word_of(Thread const& thread) { return reinterpret_cast<uptr>(&thread); }
}  // namespace

Result<Once::Role> Once::begin(Deadline deadline, WaitMode mode) {
    smp::might_sleep();
    Waiter waiter;
    uptr const self = word_of(waiter.thread());
    {
        smp::SpinIrqGuard guard{lock_};
        // relaxed, here and below: the lock synchronises.
        uptr const state = state_.load(std::memory_order_relaxed);
        if (state == kDone) return Role::Done;
        if (state == kIdle) {
            state_.store(self, std::memory_order_relaxed);
            return Role::Doer;
        }
        CHECK(state != self, "once needs itself done");
        waiters_.push_back(waiter);
    }
    TRY(waiter.wait(lock_, deadline, mode, [&]() NO_THREAD_SAFETY_ANALYSIS { waiters_.remove(waiter); }));
    // Granted because it is done, or because it is ours now, which nobody else can change. relaxed: the grant synchronises.
    return state_.load(std::memory_order_relaxed) == self ? Role::Doer : Role::Done;
}

void Once::finish(bool done) {
    smp::WakePath const path;
    WakeList list;
    {
        smp::SpinIrqGuard guard{lock_};
        if (done) {
            state_.store(kDone, std::memory_order_release);  // pairs with the acquire in is_done()
            list.choose_all(waiters_);
        } else if (Waiter* const next = waiters_.front_or_null()) {
            state_.store(word_of(next->thread()), std::memory_order_relaxed);
            list.choose(waiters_, *next);
        } else {
            state_.store(kIdle, std::memory_order_relaxed);
        }
    }
    list.wake_all();
}

}  // namespace tutti::sched
