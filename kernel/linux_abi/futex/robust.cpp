// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/futex/robust.hpp"

#include "linux_abi/abi/thread.hpp"
#include "linux_abi/futex/futex.hpp"
#include "linux_abi/futex/user_word.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/user_memory.hpp"

namespace tutti::linux_abi {

namespace {

// Bit 0 of a list pointer marks a priority-inheriting lock.
constexpr u64 kPiBit = 1;

enum class Entry : u8 { Held, Pending };

// False when the memory is not there.
bool release_one(Task& task, u64 address, bool priority_inheriting, Entry entry) {
    if (address % sizeof(u32) != 0) return false;
    while (true) {
        auto const word = try_load_word(address);
        if (word.has_value()) {
            // Taken off the word but not yet off the pending slot: the unlocker died before its wake (the comment in
            // Linux's handle_futex_death). Wake without being the owner.
            if (entry == Entry::Pending && !priority_inheriting && (*word & kFutexTidMask) == 0) {
                (void)futex_wake(task, address, FutexSharing::Shared, 1, kFutexBitsetAny);
                return true;
            }
            if ((*word & kFutexTidMask) != static_cast<u32>(task.tid())) return true;
            u32 const desired = (*word & kFutexWaiters) | kFutexOwnerDied;
            auto const seen = try_compare_exchange_word(address, *word, desired);
            if (seen.has_value() && *seen == *word) {
                // Waiters of a PI lock are handed theirs by release_owned_pi_futexes, which comes next.
                if (!priority_inheriting && (*word & kFutexWaiters) != 0)
                    (void)futex_wake(task, address, FutexSharing::Shared, 1, kFutexBitsetAny);
                return true;
            }
            if (seen.has_value()) continue;
        }
        if (!make_word_present(address, WordAccess::Write)) return false;
    }
}

}  // namespace

void release_robust_futexes(Task& task) {
    if (task.robust_list == 0) return;
    auto const head = read_user(UserPtr<RobustListHead>{task.robust_list});
    if (!head) return;
    auto const lock_address = [&](u64 entry) { return (entry & ~kPiBit) + static_cast<u64>(head->futex_offset); };

    u64 entry = head->first;
    for (u64 count = 0; count < kRobustListLimit; ++count) {
        if ((entry & ~kPiBit) == task.robust_list) break;
        // Read the link before the word changes hands: the next owner may reuse the node.
        auto const next = read_user(UserPtr<u64>{entry & ~kPiBit});
        if (entry != head->pending && !release_one(task, lock_address(entry), (entry & kPiBit) != 0, Entry::Held))
            break;
        if (!next) break;
        entry = *next;
    }
    if (head->pending != 0)
        (void)release_one(task, lock_address(head->pending), (head->pending & kPiBit) != 0, Entry::Pending);
}

}  // namespace tutti::linux_abi
