// SPDX-License-Identifier: BSD-3-Clause
#include "hal/console.hpp"

#include <sys/syscall.h>

#include "arch/host_call.hpp"

namespace tutti::hal {

void early_console_write(std::string_view text) {
    while (!text.empty()) {
        i64 const written = arch::host_call(SYS_write, 1, arch::host_argument(text.data()), text.size());
        constexpr i64 kInterrupted = -4;
        if (written < 0 && written != kInterrupted) return;  // nobody listens any more
        if (written > 0) text.remove_prefix(static_cast<size_t>(written));
    }
}

void console_write_line(std::string_view line) { early_console_write(line); }

}  // namespace tutti::hal
