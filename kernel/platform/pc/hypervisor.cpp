// SPDX-License-Identifier: BSD-3-Clause
#include "platform/pc/hypervisor.hpp"

#include <cstring>

#include "arch/cpu.hpp"

namespace tutti::platform {

bool is_virtual_machine() { return (arch::cpuid(1).ecx & (1u << 31)) != 0; }

u32 find_hypervisor(char const (&signature)[13]) {
    if (!is_virtual_machine()) return 0;
    for (u32 leaf = 0x40000000; leaf < 0x40010000; leaf += 0x100) {
        arch::CpuidResult const found = arch::cpuid(leaf);
        u32 const words[] = {found.ebx, found.ecx, found.edx};
        if (std::memcmp(words, signature, sizeof words) == 0 && found.eax > leaf) return leaf;
    }
    return 0;
}

}  // namespace tutti::platform
