// SPDX-License-Identifier: BSD-3-Clause
// The bytes at the top of a new program's stack (System V ABI for x86_64, section 3.4.1; AArch64 uses the same form):
//
//     stack_pointer ->  argc                                 16-byte aligned
//                       argv[0] .. argv[argc-1], NULL
//                       envp[0] .., NULL
//                       auxiliary vector .., {AT_NULL, 0}
//                       16 random bytes (AT_RANDOM), platform name (AT_PLATFORM)
//                       argument strings, environment strings, executable's path (AT_EXECFN)
//     top ----------->  8 zero bytes lie just below
//
// Portable and without side effects: it makes the bytes, load.cpp puts them into the address space.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "base/vector.hpp"

namespace tutti::linux_abi::elf {

// Keys of the auxiliary vector, getauxval(3).
enum class Auxiliary : u64 {
    Null = 0,
    ProgramHeaders = 3,
    ProgramHeaderSize = 4,
    ProgramHeaderCount = 5,
    PageSize = 6,
    Base = 7,
    Flags = 8,
    Entry = 9,
    UserId = 11,
    EffectiveUserId = 12,
    GroupId = 13,
    EffectiveGroupId = 14,
    Platform = 15,
    HardwareCapabilities = 16,
    ClockTicks = 17,
    Secure = 23,
    Random = 25,
    HardwareCapabilities2 = 26,
    RseqFeatureSize = 27,
    RseqAlign = 28,
    ExecutablePath = 31,
    VdsoHeader = 33,
    MinimumSignalStack = 51,
};

struct AuxiliaryEntry {
    Auxiliary key;
    u64 value;
};

struct StackContents {
    std::span<std::string_view const> arguments{};
    std::span<std::string_view const> environment{};
    std::string_view executable{};
    std::string_view platform{};
    std::array<u8, 16> random{};
    std::span<AuxiliaryEntry const> auxiliary{};  // the pointers to the strings above and the end are added
};

struct InitialStack {
    Vector<u8> bytes;  // of [stack_pointer, top)
    u64 stack_pointer = 0;
    u64 arguments_start = 0, arguments_end = 0;
    u64 environment_start = 0, environment_end = 0;
    u64 auxiliary_start = 0;
    size_t auxiliary_size = 0;
};

// One string, NUL included, may have this many bytes (Linux: MAX_ARG_STRLEN).
inline constexpr size_t kMaxArgumentSize = 131072;

// `top` is 16-byte aligned. Error::TooBig when a string is over kMaxArgumentSize or all together over `limit` bytes,
// InvalidArgument when a string holds a NUL; NoMemory.
[[nodiscard]] Result<InitialStack> build_initial_stack(u64 top, u64 limit, StackContents const& contents);

}  // namespace tutti::linux_abi::elf
