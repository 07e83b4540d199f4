// SPDX-License-Identifier: BSD-3-Clause
#include "hal/power.hpp"

#include <sys/syscall.h>

#include "arch/host_call.hpp"
#include "platform/linuxu/sanitizer.hpp"

namespace tutti::hal {

// The process's exit status is the code.
void debug_exit(unsigned char code) {
    if (code == 0 && platform::sanitizer_reports() != 0) code = 1;
    for (;;) arch::host_call(SYS_exit_group, code);
}
void power_off() { debug_exit(0); }
void reboot() { debug_exit(0); }

}  // namespace tutti::hal
