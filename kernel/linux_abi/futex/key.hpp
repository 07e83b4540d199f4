// SPDX-License-Identifier: BSD-3-Clause
// What two futex operations must agree on to meet: the identity of the memory word, not its address.
#pragma once

#include "base/ref.hpp"
#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti::linux_abi {

class Task;

// Private memory (or a private operation): the address space and the address. Shared mappings: the backing object and
// the offset in it, so that two mappings of one file page meet.
struct FutexKey {
    static constexpr u32 kObjectShift = 6;  // bits of `object` that are 0
    u64 object = 0;                         // AddressSpace*, or the shifted number() of a vm::Backing
    u64 offset = 0;                         // address, or byte offset within the object

    friend bool operator==(FutexKey const&, FutexKey const&) = default;
    [[nodiscard]] u64 hash() const {
        // Fibonacci hashing of both words: neighbouring words of one page land in different buckets.
        u64 const mixed = (object >> kObjectShift) * 0x9e37'79b9'7f4a'7c15 + offset * 0xc2b2'ae3d'27d4'eb4f;
        return mixed ^ mixed >> 29;
    }
};

enum class FutexSharing : u8 { Private, Shared };

// The key of the aligned 32-bit word at `address`. For a shared operation on a shared mapping the backing object is
// looked up. It may be freed while a thread waits, which no wake finds from then on: its number does not come again.
// Errors: InvalidArgument (unaligned), BadAddress (no such memory).
Result<FutexKey> futex_key(Task& task, u64 address, FutexSharing sharing);

}  // namespace tutti::linux_abi
