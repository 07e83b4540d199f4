// SPDX-License-Identifier: BSD-3-Clause
// What uname(2) and /proc/sys/kernel say about this system.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "linux_abi/abi/system.hpp"

namespace tutti::linux_abi {

inline constexpr std::string_view kSystemName = "Linux";
// The Linux release whose interface this kernel follows; programs and the C library compare it.
inline constexpr std::string_view kRelease = "6.1.0-tutti";
inline constexpr std::string_view kVersion = "#1 SMP PREEMPT Tutti";

[[nodiscard]] Utsname host_identity();
// Error::InvalidArgument when the name is longer than 64 bytes.
Result<> set_host_name(std::string_view name);
Result<> set_domain_name(std::string_view name);

}  // namespace tutti::linux_abi
