// SPDX-License-Identifier: BSD-3-Clause
#include "platform/startup/early_report.hpp"

#include "arch/crash_report.hpp"
#include "arch/traps.hpp"
#include "base/assert.hpp"
#include "base/log.hpp"
#include "hal/console.hpp"
#include "hal/power.hpp"

namespace tutti::platform {
namespace {

// Until smp/debug registers its own: this is the only CPU.
[[noreturn]] void early_panic(std::string_view message, char const* file, int line) {
    static constinit bool panicking = false;
    if (!panicking) {
        panicking = true;
        char text[96];
        hal::early_console_write("\n*** panic during start-up: ");
        hal::early_console_write(message);
        hal::early_console_write(file != nullptr ? format_to(text, " ({}:{})\n", file, line) : "\n");
        if (arch::TrapFrame const* const fatal = arch::fatal_frame(); fatal != nullptr)
            arch::print_frame(*fatal);
        else
            arch::print_backtrace(reinterpret_cast<u64>(__builtin_return_address(0)),
                                  *static_cast<u64 const*>(__builtin_frame_address(0)));
        hal::early_console_write("*** end of report\n");
    }
    hal::debug_exit(0x31);
}

ISR_SAFE void log_to_console(LogLevel, std::string_view line) {
    hal::early_console_write(line);
    hal::early_console_write("\n");
}

}  // namespace

void early_reports_init() {
    set_log_sink(log_to_console);
    set_panic_handler(early_panic);
}

void stop(std::string_view message) {
    hal::early_console_write("tutti: ");
    hal::early_console_write(message);
    hal::early_console_write("\n");
    hal::debug_exit(0x31);
}

}  // namespace tutti::platform
