// SPDX-License-Identifier: BSD-3-Clause
// What the platform found at boot: memory, CPUs, the command line, the initial file archive. Constant once the boot CPU
// has left the platform's code; valid for ever.
#pragma once

#include <span>
#include <string_view>

#include "base/types.hpp"

namespace tutti::hal {

struct BootInfo {
    std::span<PhysRange const> ram;       // all RAM, ascending, page-aligned, not overlapping: the direct map covers it
    std::span<PhysRange const> reserved;  // parts of ram in use: kernel image, boot allocations, initrd; ascending
    std::string_view command_line;
    PhysRange initrd;                     // size 0: none
    u32 cpu_count = 0;
    char const* platform = "";            // "q35", "pc", "microvm", ... as far as it can be told; for messages
};
[[nodiscard]] BootInfo const& boot_info();

}  // namespace tutti::hal
