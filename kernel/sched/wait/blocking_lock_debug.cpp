// SPDX-License-Identifier: BSD-3-Clause
#include "sched/wait/blocking_lock_debug.hpp"

#include "base/assert.hpp"
#include "hal/console.hpp"
#include "sched/thread.hpp"
#include "smp/debug/stack_trace.hpp"
#include "smp/spin/lock_order.hpp"

namespace tutti::sched {

namespace {

// The list of the current thread. Release builds have none, and call nothing here.
template <class Held>
ISR_SAFE HeldLocksOn& list_of(Held& held) {
    if constexpr (std::is_same_v<Held, HeldLocksOn>)
        return held;
    else
        panic("this build has no list of held locks");
}
ISR_SAFE HeldLocksOn& held_here() { return list_of(current().held_locks()); }

}  // namespace

smp::LockClass* BlockingLockDebugOn::lock_class() {
    // acquire: pairs with the release of whoever made the class.
    smp::LockClass* found = class_.load(std::memory_order_acquire);
    if (found == nullptr) [[unlikely]] {
        found = name_.line == 0 ? smp::LockOrder::find_or_add(name_.text, smp::LockOrder::kBlocking)
                                : smp::LockOrder::find_or_add_place(name_.text, name_.line);
        class_.store(found, std::memory_order_release);
    }
    return found;
}

void BlockingLockDebugOn::before_lock() {
    HeldLocksOn const& held = held_here();
    if (held.count_ == 0) return;
    smp::LockClass* const own = lock_class();
    if (own == nullptr) return;
    for (u32 i = 0; i < held.count_; ++i)
        if (smp::LockClass* const other = held.entries_[i].lock_class) smp::LockOrder::check(*other, *own);
}

void BlockingLockDebugOn::after_lock() {
    HeldLocksOn& held = held_here();
    CHECK(held.count_ < HeldLocksOn::kMaxHeld, "more than {} locks held by a thread at '{}'", HeldLocksOn::kMaxHeld, name_.text);
    held.entries_[held.count_] = {this, lock_class(), reinterpret_cast<uptr>(__builtin_return_address(0))};
    // A panic that interrupts us prints whole entries.
    compiler_barrier();
    ++held.count_;
}

void BlockingLockDebugOn::before_unlock() {
    HeldLocksOn& held = held_here();
    for (u32 i = held.count_; i-- > 0;) {
        if (held.entries_[i].lock != this) continue;
        for (u32 next = i + 1; next < held.count_; ++next) held.entries_[next - 1] = held.entries_[next];
        --held.count_;
        return;
    }
}

ISR_SAFE void print_held_locks() {
    if constexpr (kDebugBuild) {
        if (current_or_null() == nullptr) return;
        HeldLocksOn const& held = held_here();
        for (u32 i = 0; i < held.count_; ++i) {
            HeldLocksOn::Entry const& entry = held.entries_[i];
            char line[160];
            hal::early_console_write(
                format_to(line, "# holds '{}', taken at\n", entry.lock_class != nullptr ? entry.lock_class->name() : "?"));
            smp::print_place(entry.where);
        }
    }
}

ISR_SAFE void check_no_locks_held(char const* when) {
    if constexpr (kDebugBuild) {
        HeldLocksOn const& held = held_here();
        if (held.empty()) [[likely]] return;
        print_held_locks();
        smp::LockClass const* const last = held.entries_[held.count_ - 1].lock_class;
        panic("lock '{}' held {}", last != nullptr ? last->name() : "?", when);
    }
}

void forget_held_locks() {
    if constexpr (kDebugBuild) held_here().count_ = 0;
}

}  // namespace tutti::sched
