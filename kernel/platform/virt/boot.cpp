// SPDX-License-Identifier: BSD-3-Clause
// The boot CPU's path from the entry code to init: device tree, memory, per-CPU areas, interrupts, clock.
#include "arch/cpu.hpp"
#include "arch/memory_layout.hpp"
#include "arch/traps.hpp"
#include "base/bits.hpp"
#include "hal/boot_info.hpp"
#include "hal/entry.hpp"
#include "platform/startup/boot_allocator.hpp"
#include "platform/startup/boot_info.hpp"
#include "platform/startup/early_report.hpp"
#include "platform/virt/boot_memory.hpp"
#include "platform/virt/clock.hpp"
#include "platform/virt/console.hpp"
#include "platform/virt/cpus.hpp"
#include "platform/virt/device_tree.hpp"
#include "platform/virt/devices.hpp"
#include "platform/virt/interrupts.hpp"
#include "platform/virt/psci.hpp"
#include "platform/xen/xen.hpp"

namespace tutti::platform {
namespace {

extern "C" u8 const boot_entered_at_el2;  // entry.S

constinit DeviceTree tree{};

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
    early_reports_init();
    arch::traps_init();
    if (!boot_entered_at_el2) xen::detect();  // there would be nobody behind a hypercall

    std::span<u8 const> const blob = find_device_tree(PhysAddr{device_tree_address});
    if (auto const read = read_device_tree(blob, tree); !read) stop(read.error());
    find_devices(blob, tree);
    psci_init(tree.psci);
    boot_memory_init(tree, {PhysAddr{device_tree_address}, blob.size()});
    boot_info_init({tree.ram, tree.ram_count}, tree.initrd, tree.command_line);
    for (size_t i = 0; i < tree.reserved_count; ++i) add_reserved(tree.reserved[i]);
    set_cpu_count(tree.cpu_count);
    set_platform_name(xen::present() ? "xen" : tree.gic.version == 2 ? "virt-gicv2" : "virt-gicv3");
    std::span<u64> const affinities{static_cast<u64*>(boot_allocate(tree.cpu_count * sizeof(u64), alignof(u64))),
                                    tree.cpu_count};
    read_cpu_affinities(blob, affinities);

    kernel_tables_init(hal::boot_info().ram);  // from here on the text is read-only, and the blob is gone
    console_use(tree.pl011.is_null() ? nullptr : boot_map_device(tree.pl011, kPageSize));
    cpus_init(affinities);
    interrupts_init(tree, tree_devices());
    interrupts_init_cpu();
    clock_init(tree, entry_counter);
    boot_allocator_finish();
    hal::kernel_main();
}

}  // namespace tutti::platform
