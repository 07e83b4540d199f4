// SPDX-License-Identifier: BSD-3-Clause
#include "platform/linuxu/boot.hpp"

#include "arch/crash_report.hpp"
#include "arch/traps.hpp"
#include "base/assert.hpp"
#include "base/log.hpp"
#include "hal/console.hpp"
#include "hal/entry.hpp"
#include "hal/power.hpp"
#include "platform/linuxu/clock.hpp"
#include "platform/linuxu/cpus.hpp"
#include "platform/linuxu/disk.hpp"
#include "platform/linuxu/host_link.hpp"
#include "platform/linuxu/host_thread.hpp"
#include "platform/linuxu/interrupts.hpp"
#include "platform/linuxu/memory.hpp"
#include "platform/linuxu/tap.hpp"

namespace tutti::platform {
namespace {

void log_to_console(LogLevel, std::string_view line) {
    hal::early_console_write(line);
    hal::early_console_write("\n");
}

// Until smp/debug registers its own.
[[noreturn]] void early_panic(std::string_view message, char const* file, int line) {
    char text[96];
    hal::early_console_write("\n*** panic during start-up: ");
    hal::early_console_write(message);
    hal::early_console_write(file != nullptr ? format_to(text, " ({}:{})\n", file, line) : "\n");
    hal::debug_exit(0x31);
}

}  // namespace

void boot(Options const& options) {
    if constexpr (kRunsPrograms) {
        set_host_link(options.link_file);
        if (options.tap != nullptr) open_tap(options.tap, options.cpus);
        for (DiskOption const& disk : std::span{options.disks}.first(options.disk_count)) open_disk(disk);
    }
    set_log_sink(log_to_console);
    set_panic_handler(early_panic);
    memory_init(options);
    clock_init();
    interrupts_init();
    arch::traps_init();
    cpus_init(options.cpus);
    hal::kernel_main();
}

}  // namespace tutti::platform
