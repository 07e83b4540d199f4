// SPDX-License-Identifier: BSD-3-Clause
// What a new program is told about this machine, for x86_64.
#pragma once

#include <string_view>

#include "arch/cpu.hpp"
#include "arch/fpu.hpp"
#include "base/bits.hpp"

namespace tutti::linux_abi {

inline constexpr u16 kElfMachine = 62;                        // EM_X86_64
inline constexpr std::string_view kPlatformName = "x86_64";   // AT_PLATFORM, and uname(2)
inline constexpr u64 kProgramBase = 0x5555'5555'4000;         // of position-independent programs; two thirds up, as Linux

// AT_HWCAP: CPUID leaf 1, EDX.
[[nodiscard]] inline u64 hardware_capabilities() { return arch::cpuid(1).edx; }
// AT_HWCAP2: neither MONITOR in ring 3 nor FSGSBASE.
[[nodiscard]] inline u64 hardware_capabilities_2() { return 0; }

// AT_MINSIGSTKSZ: the largest signal frame, that is the register state, the saved context (under 1 KiB) and alignment.
[[nodiscard]] inline u64 minimum_signal_stack() { return align_up(arch::fpu_area_size() + 1024 + 64, u64{64}); }

}  // namespace tutti::linux_abi
