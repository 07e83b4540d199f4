// SPDX-License-Identifier: BSD-3-Clause
#include "base/log.hpp"
#include "hal/boot_info.hpp"
#include "hal/clock.hpp"
#include "hal/cpu.hpp"
#include "hal/entry.hpp"
#include "hal/power.hpp"
#include "arch/cpu.hpp"

void tutti::hal::kernel_main() {
    set_log_level(LogLevel::Debug);
    log_info("hello from cpu {} at {} ns", this_cpu(), now());
    u32 n = start_secondary_cpus([] { for(;;) arch::halt_forever(); });
    log_info("{} cpus of {} at {} ns, cmdline '{}', wall {}", n, cpu_count(), now(), boot_info().command_line, wall_clock_at_boot());
    for (auto const& r : boot_info().ram) log_info("ram {} {:#x}", r.base, r.size);
    for (auto const& r : boot_info().reserved) log_info("reserved {} {:#x}", r.base, r.size);
    power_off();
}
