// SPDX-License-Identifier: BSD-3-Clause
// Where the platform hands over.
#pragma once

namespace tutti::hal {

// Implemented by init/. Called once on the boot CPU: interrupts off, boot stack, memory described by boot_info(),
// traps, clock and interrupt controller ready.
[[noreturn]] void kernel_main();

}  // namespace tutti::hal
