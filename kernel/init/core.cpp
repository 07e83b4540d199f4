// SPDX-License-Identifier: BSD-3-Clause
#include "init/core.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "hal/boot_info.hpp"
#include "hal/clock.hpp"
#include "hal/console.hpp"
#include "hal/cpu.hpp"
#include "hal/power.hpp"
#include "mem/frame/frame_allocator.hpp"
#include "mem/heap/heap.hpp"
#include "mem/paging/kernel_map.hpp"
#include "mem/stack/kernel_stack.hpp"
#include "sched/scheduler.hpp"
#include "sched/timers/sleep.hpp"
#include "smp/debug/log_ring.hpp"
#include "smp/debug/panic.hpp"
#include "smp/ipi/call.hpp"
#include "smp/spin/queued_lock.hpp"

namespace tutti::init {

[[noreturn]] void refuse(std::string_view why) {
    hal::early_console_write("tutti: ");
    hal::early_console_write(why);
    hal::early_console_write("\n");
    hal::debug_exit(0x31);
}

CommandLine read_command_line() {
    FixedString<160> complaint;
    Result<CommandLine> const command_line = parse_command_line(hal::boot_info().command_line, complaint);
    if (!command_line) refuse(complaint);
    set_log_level(command_line->log_level);
    return *command_line;
}

void start_memory(CommandLine const& command_line) {
    mem::frame_init();
    if (!mem::heap_init(command_line.heap)) refuse("kernel command line: unknown heap; known is slab");
    mem::kernel_map_init();
    mem::kernel_stacks_init();
}

void start_smp_core() {
    // A queue of waiters stands still while the first of them has lost its processor.
    smp::set_spin_waiters_compete(hal::is_virtual_machine());
    smp::log_init();
    smp::panic_init();
    smp::wrap_interrupt_hook();
    CHECK(smp::calls_init(), "no memory for the CPUs' call queues: give the machine more memory");
}

void start_threads() {
    CHECK(sched::init(), "no memory for the idle threads: give the machine more memory");
}

void start_other_cpus() { hal::start_secondary_cpus(&sched::enter_secondary); }

void wait_for_all_cpus() {
    constexpr Nanoseconds kPatience = Nanoseconds::from_s(20);
    Deadline const deadline = hal::now() + kPatience;
    while (smp::online_count() < hal::cpu_count()) {
        if (hal::now() >= deadline) {
            log_warn("only {} of {} CPUs came up", smp::online_count(), hal::cpu_count());
            return;
        }
        (void)sched::sleep_for(Nanoseconds::from_us(20));
    }
}

}  // namespace tutti::init
