// SPDX-License-Identifier: BSD-3-Clause
// Ending the machine.
#pragma once

namespace tutti::hal {

[[noreturn]] void power_off();
[[noreturn]] void reboot();
// Ends the virtual machine with a status where the hypervisor offers that (QEMU isa-debug-exit: its exit status becomes
// 2 * code + 1), otherwise powers off. For test images and panics.
[[noreturn]] void debug_exit(unsigned char code);

}  // namespace tutti::hal
