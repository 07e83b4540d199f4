// SPDX-License-Identifier: BSD-3-Clause
// Sets of CPUs as text, the way Linux prints them (cpuset(7), FORMATS).
#pragma once

#include "base/string.hpp"
#include "smp/percpu/cpu_set.hpp"

namespace tutti::vfs {

// Hexadecimal words of 32 bits, the highest first: "f", "3,ffffffff".
Result<> append_cpu_mask(String& text, smp::CpuSet const& cpus);
// Ranges: "0-3,6". Nothing for an empty set.
Result<> append_cpu_list(String& text, smp::CpuSet const& cpus);

}  // namespace tutti::vfs
