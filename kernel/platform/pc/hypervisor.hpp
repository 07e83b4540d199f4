// SPDX-License-Identifier: BSD-3-Clause
// Who runs this virtual machine. Source: the CPUID leaves from 0x40000000 on, by agreement of the hypervisors.
#pragma once

#include <string_view>

#include "base/types.hpp"

namespace tutti::platform {

// True on any hypervisor.
[[nodiscard]] bool is_virtual_machine();
// The first CPUID leaf of the hypervisor that signs with these 12 characters; 0 when it is not there. A hypervisor that
// imitates another has its own leaves further up.
[[nodiscard]] u32 find_hypervisor(char const (&signature)[13]);

}  // namespace tutti::platform
