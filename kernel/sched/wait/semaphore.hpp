// SPDX-License-Identifier: BSD-3-Clause
// A counting semaphore. up() may be called from an interrupt handler.
#pragma once

#include "sched/wait/wait_queue.hpp"

namespace tutti::sched {

class Semaphore {
  public:
    static constexpr u32 kMaximum = 0x7fff'ffff;
    constexpr explicit Semaphore(u32 initial) : count_{initial} {}

    [[nodiscard]] bool try_down() {
        u32 count = count_.load(std::memory_order_relaxed);
        while (count != 0)
            // acquire: pairs with the release in up().
            if (count_.compare_exchange_weak(count, count - 1, std::memory_order_acquire, std::memory_order_relaxed))
                return true;
        return false;
    }
    void down() { (void)down_until(kNever, WaitMode::Uninterruptible); }
    // Errors: TimedOut, Interrupted; then nothing was taken. Thread context.
    [[nodiscard]] Result<> down_until(Deadline deadline, WaitMode mode) {
        return queue_.wait_until([&] { return try_down(); }, deadline, mode);
    }
    // Error::Overflow beyond kMaximum; then nothing was added. Up to Isr context.
    Result<> up() {
        u32 count = count_.load(std::memory_order_relaxed);
        do {
            if (count >= kMaximum) return fail(Error::Overflow);
            // release: pairs with the acquire in try_down().
        } while (!count_.compare_exchange_weak(count, count + 1, std::memory_order_release, std::memory_order_relaxed));
        queue_.wake_one();
        return {};
    }
    // A look that may be old.
    [[nodiscard]] u32 count() const { return count_.load(std::memory_order_relaxed); }

  private:
    std::atomic<u32> count_;
    WaitQueue queue_;
};

}  // namespace tutti::sched
