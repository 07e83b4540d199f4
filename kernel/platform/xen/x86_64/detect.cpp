// SPDX-License-Identifier: BSD-3-Clause
// Source: Xen, public/arch-x86/cpuid.h and public/arch-x86/hvm/start_info.h.
#include "arch/cpu.hpp"
#include "arch/memory_layout.hpp"
#include "platform/pc/hypervisor.hpp"
#include "platform/xen/xen.hpp"

extern "C" char xen_hypercall_page[];

namespace tutti::platform::xen {

void detect() {
    u32 const leaves = find_hypervisor("XenVMMXenVMM");
    if (leaves == 0) return;
    u32 const msr = arch::cpuid(leaves + 2).ebx;
    arch::write_msr(msr, arch::virt_to_phys(xen_hypercall_page).value());
    set_present();
}

}  // namespace tutti::platform::xen
