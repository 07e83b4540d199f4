// SPDX-License-Identifier: BSD-3-Clause
// Access to a futex word while a bucket lock is held.
//
// Under a spin lock nothing may fault pages in. So the word is tried as it is; when that fails, the caller drops its
// locks, makes the page present (which may block), and starts again:
//
//   while (true) { lock; if (auto v = try_load(a)) ...; unlock; TRY(make_present(a)); }
#pragma once

#include <optional>

#include "base/result.hpp"
#include "linux_abi/user_memory.hpp"
#include "vm/user_copy.hpp"

namespace tutti::linux_abi {

// The word at `address`, or nothing when its page is not mapped right now. Never blocks.
[[nodiscard]] inline std::optional<u32> try_load_word(u64 address) {
    auto const value = vm::try_load_user_u32(VirtAddr{address});
    return value ? std::optional<u32>{*value} : std::nullopt;
}

// Stores `desired` if the word is `expected`. The value found, or nothing when the page is not mapped writable now.
[[nodiscard]] inline std::optional<u32> try_compare_exchange_word(u64 address, u32 expected, u32 desired) {
    auto const seen = vm::try_compare_exchange_user_u32(VirtAddr{address}, expected, desired);
    return seen ? std::optional<u32>{*seen} : std::nullopt;
}

// No lock held; may block. Error::BadAddress.
enum class WordAccess : u8 { Read, Write };
[[nodiscard]] inline Result<> make_word_present(u64 address, WordAccess access) {
    return vm::fault_in_user(VirtAddr{address}, sizeof(u32), access == WordAccess::Write);
}

}  // namespace tutti::linux_abi
