// SPDX-License-Identifier: BSD-3-Clause
// Access to the memory of the program that runs on this CPU. A wild pointer is Error::BadAddress, never a fault of ours.
//
// The functions without try_ fault pages in and may block: Thread context, no spinning lock held, interrupts on.
// The compiler refuses them in a wake-up path (smp/context/wake_path.hpp).
#pragma once

#include "base/result.hpp"
#include "base/string.hpp"
#include "base/types.hpp"
#include "smp/context/wake_path.hpp"

namespace tutti::vm {

// True when [address, address + size) lies in the user half.
[[nodiscard]] bool is_user_range(VirtAddr address, u64 size);

// A program's pointer: typed, never dereferenced by the kernel.
template <class T>
class UserPtr {
  public:
    constexpr UserPtr() = default;
    constexpr explicit UserPtr(u64 address) : address_{address} {}
    constexpr explicit UserPtr(VirtAddr address) : address_{address} {}
    [[nodiscard]] constexpr VirtAddr address() const { return address_; }
    [[nodiscard]] constexpr bool is_null() const { return address_.is_null(); }
    friend constexpr UserPtr operator+(UserPtr p, u64 count) { return UserPtr{p.address_.value() + count * sizeof(T)}; }
    template <class U>
    [[nodiscard]] constexpr UserPtr<U> as() const { return UserPtr<U>{address_}; }

  private:
    VirtAddr address_;
};

[[nodiscard]] Result<> copy_from_user(void* to, VirtAddr from, u64 size) EXCLUDES(smp::wake_path);
[[nodiscard]] Result<> copy_to_user(VirtAddr to, void const* from, u64 size) EXCLUDES(smp::wake_path);
[[nodiscard]] Result<> zero_user(VirtAddr to, u64 size) EXCLUDES(smp::wake_path);
// As much as is accessible: the number of bytes copied, for reads and writes that may be partial. 0 bytes of a
// non-zero size is BadAddress.
[[nodiscard]] Result<u64> copy_from_user_partial(void* to, VirtAddr from, u64 size) EXCLUDES(smp::wake_path);
[[nodiscard]] Result<u64> copy_to_user_partial(VirtAddr to, void const* from, u64 size) EXCLUDES(smp::wake_path);
// Up to the terminating zero, which is not included. Error::NameTooLong when there is none within `limit` bytes.
[[nodiscard]] Result<String> copy_string_from_user(VirtAddr from, u64 limit) EXCLUDES(smp::wake_path);
// The same into a caller's buffer of limit + 1 bytes; the length.
[[nodiscard]] Result<u64> copy_string_from_user(char* to, VirtAddr from, u64 limit) EXCLUDES(smp::wake_path);

// Aligned 32-bit words, for futexes. These never fault pages in and may be called under a spinning lock:
// Error::WouldBlock when the page is not there (fault_in_user() and try again), BadAddress outside the user half.
[[nodiscard]] Result<u32> try_load_user_u32(VirtAddr from);
// The value found; the exchange happened when that is `expected`. Sequentially consistent.
[[nodiscard]] Result<u32> try_compare_exchange_user_u32(VirtAddr at, u32 expected, u32 desired);
// Makes [address, address + size) present, writable too if asked; the pages may go again before the caller looks.
[[nodiscard]] Result<> fault_in_user(VirtAddr address, u64 size, bool for_write) EXCLUDES(smp::wake_path);

}  // namespace tutti::vm
