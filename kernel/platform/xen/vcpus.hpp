// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "base/types.hpp"

namespace tutti::platform::xen {

// Starts a virtual CPU in 64-bit mode, interrupts off, at a kernel address on the kernel's page tables. 0, or the error of
// Xen. By hypercall, since INIT and SIPI through the local APIC reset a CPU's TSC, which Xen sets right for all domains but
// the first.
[[nodiscard]] i64 start_vcpu(u32 vcpu, void const* entry, PhysAddr root);

}  // namespace tutti::platform::xen
