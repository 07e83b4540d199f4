// SPDX-License-Identifier: BSD-3-Clause
// Something that is done once, by whoever needs it first; the others wait until it is done. One load when it is.
//
//   state_:   0 --begin--> the Thread that does it --finish--> kDone
//                              |        \--failed, somebody waits--> that waiter's Thread
//             0 <--failed------+
//
// Everything that the function did is visible to whoever finds it done. It may block; it must not need itself done (panics
// in all builds).
#pragma once

#include <type_traits>

#include "sched/wait/waiter.hpp"

namespace tutti::sched {

class Once {
  public:
    constexpr Once() = default;
    Once(Once const&) = delete;
    Once& operator=(Once const&) = delete;
    ~Once() {
        CHECK(is_done() || state_.load(std::memory_order_relaxed) == kIdle, "once destroyed while somebody does it");
    }

    // acquire: pairs with the release in finish().
    [[nodiscard]] bool is_done() const { return state_.load(std::memory_order_acquire) == kDone; }

    // function() returns nothing. Thread context.
    template <class Function>
    void call(Function&& function) EXCLUDES(smp::wake_path) {
        static_assert(std::is_void_v<std::invoke_result_t<Function>>, "a function that can fail needs call_until()");
        (void)call_until(std::forward<Function>(function), kNever, WaitMode::Uninterruptible);  // cannot fail
    }
    // function() returns nothing or Result<>. When it fails its error is returned, it is not done, and the next caller,
    // one that waits first, tries again. The deadline is for waiting on others. Errors: the function's, TimedOut,
    // Interrupted.
    template <class Function>
    [[nodiscard]] Result<> call_until(Function&& function, Deadline deadline, WaitMode mode) EXCLUDES(smp::wake_path) {
        if (is_done()) [[likely]] return {};
        if (TRY(begin(deadline, mode)) == Role::Done) return {};
        Result<> result{};
        if constexpr (std::is_void_v<std::invoke_result_t<Function>>)
            function();
        else
            result = function();
        finish(result.has_value());
        return result;
    }

  private:
    static constexpr uptr kIdle = 0;
    static constexpr uptr kDone = 1;
    enum class Role : u8 { Done, Doer };

    // Until it is done, or falls to the caller to do it.
    [[nodiscard]] Result<Role> begin(Deadline deadline, WaitMode mode) EXCLUDES(smp::wake_path);
    void finish(bool done);

    std::atomic<uptr> state_{kIdle};  // changes under lock_
    smp::SpinLock lock_{smp::LockRank::WaitQueue, "once"};
    WaiterQueue waiters_ GUARDED_BY(lock_);
};

}  // namespace tutti::sched
