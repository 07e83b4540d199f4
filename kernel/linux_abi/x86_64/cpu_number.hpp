// SPDX-License-Identifier: BSD-3-Clause
// How programs learn their CPU without a system call: IA32_TSC_AUX, which the kernel sets on each CPU, through RDTSCP.
#pragma once

#include "arch/cpu.hpp"

namespace tutti::linux_abi {

[[nodiscard]] inline bool user_cpu_number_present() {
    return arch::kCpuNumberIsOurs && arch::cpuid(0x80000000).eax >= 0x80000001 && (arch::cpuid(0x80000001).edx & (1u << 27)) != 0;
}

}  // namespace tutti::linux_abi
