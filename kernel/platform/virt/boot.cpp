// SPDX-License-Identifier: BSD-3-Clause
// The boot CPU's path from the entry code to init: device tree, memory, per-CPU areas, interrupts, clock.
#include "arch/cpu.hpp"
#include "arch/crash_report.hpp"
#include "arch/memory_layout.hpp"
#include "arch/traps.hpp"
#include "base/assert.hpp"
#include "base/bits.hpp"
#include "base/log.hpp"
#include "hal/boot_info.hpp"
#include "hal/console.hpp"
#include "hal/entry.hpp"
#include "hal/power.hpp"
#include "platform/virt/boot_info.hpp"
#include "platform/virt/boot_memory.hpp"
#include "platform/virt/clock.hpp"
#include "platform/virt/console.hpp"
#include "platform/virt/cpus.hpp"
#include "platform/virt/device_tree.hpp"
#include "platform/virt/devices.hpp"
#include "platform/virt/interrupts.hpp"
#include "platform/virt/psci.hpp"

namespace tutti::platform {
namespace {

constinit DeviceTree tree{};

[[noreturn]] void stop(std::string_view message) {
    hal::early_console_write("tutti: ");
    hal::early_console_write(message);
    hal::early_console_write("\n");
    hal::debug_exit(0x31);
}

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

std::span<u8 const> find_device_tree(PhysAddr address) {
    if (address.is_null() || !is_aligned(address.value(), 8))
        stop("no device tree: the boot loader must pass one (x0), as for Linux");
    u8 const* const blob = map_in_boot_window(address);
    size_t const size = blob == nullptr ? 0 : device_tree_size(blob);
    if (size == 0) stop("no valid device tree at the address that the boot loader gave");
    return {blob, size};
}

}  // namespace

extern "C" [[noreturn]] void virt_boot(u64 device_tree_address) {
    u64 const entry_counter = arch::read_counter();
    set_log_sink(log_to_console);
    set_panic_handler(early_panic);
    arch::traps_init();

    std::span<u8 const> const blob = find_device_tree(PhysAddr{device_tree_address});
    if (auto const read = read_device_tree(blob, tree); !read) stop(read.error());
    find_devices(blob, tree);
    psci_init(tree.psci);
    boot_memory_init(tree, {PhysAddr{device_tree_address}, blob.size()});
    boot_info_init(tree);
    std::span<u64> const affinities{static_cast<u64*>(boot_allocate(tree.cpu_count * sizeof(u64), alignof(u64))),
                                    tree.cpu_count};
    read_cpu_affinities(blob, affinities);

    kernel_tables_init(hal::boot_info().ram);  // from here on the text is read-only, and the blob is gone
    console_use(tree.pl011.is_null() ? nullptr : boot_map_device(tree.pl011, kPageSize));
    cpus_init(affinities);
    interrupts_init(tree, tree_devices());
    interrupts_init_cpu();
    clock_init(tree, entry_counter);
    boot_memory_finish();
    hal::kernel_main();
}

}  // namespace tutti::platform
