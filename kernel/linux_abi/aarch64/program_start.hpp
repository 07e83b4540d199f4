// SPDX-License-Identifier: BSD-3-Clause
// What a new program is told about this machine, for aarch64.
#pragma once

#include <string_view>

#include "base/types.hpp"
#include "linux_abi/machine/signal_frame.hpp"
#include "vfs/procfs/aarch64/cpu_features.hpp"

namespace tutti::linux_abi {

inline constexpr u16 kElfMachine = 183;                       // EM_AARCH64
inline constexpr std::string_view kPlatformName = "aarch64";  // AT_PLATFORM, and uname(2)
inline constexpr u64 kProgramBase = 0xaaaa'aaaa'a000;         // of position-independent programs; two thirds up, as Linux

[[nodiscard]] inline u64 hardware_capabilities() { return vfs::hardware_capabilities(0); }
[[nodiscard]] inline u64 hardware_capabilities_2() { return vfs::hardware_capabilities(1); }

// AT_MINSIGSTKSZ: the largest signal frame, its frame record and alignment.
[[nodiscard]] inline u64 minimum_signal_stack() { return kSignalFrameSize + 16 + 16; }

}  // namespace tutti::linux_abi
