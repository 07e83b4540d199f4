// SPDX-License-Identifier: BSD-3-Clause
// Compiles when what the platform is asked for is what the portable layers need.
#include "hal/console.hpp"
#include "hal/cpu.hpp"
#include "hal/platform.hpp"
#include "hal/power.hpp"

namespace tutti::platform {
namespace {

// `name` as a static member that takes what the function takes.
#define TUTTI_MEMBER(name)                                                        \
    template <class... Arguments>                                                 \
        requires requires(Arguments&&... arguments) { hal::name(arguments...); } \
    static decltype(auto) name(Arguments&&... arguments) {                        \
        return hal::name(arguments...);                                           \
    }

struct Port {
    TUTTI_MEMBER(now)
    TUTTI_MEMBER(sched_clock)
    TUTTI_MEMBER(counter_scale)
    TUTTI_MEMBER(counter_frequency)
    TUTTI_MEMBER(wall_clock_at_boot)
    TUTTI_MEMBER(arm_timer)
    TUTTI_MEMBER(set_timer_handler)
    TUTTI_MEMBER(delay)
    TUTTI_MEMBER(cpu_count)
    TUTTI_MEMBER(start_secondary_cpus)
    TUTTI_MEMBER(is_virtual_machine)
    TUTTI_MEMBER(percpu_area)
    TUTTI_MEMBER(set_ipi_handler)
    TUTTI_MEMBER(send_ipi)
    TUTTI_MEMBER(send_nmi)
    TUTTI_MEMBER(boot_info)
    TUTTI_MEMBER(early_console_write)
    TUTTI_MEMBER(console_write_line)
    TUTTI_MEMBER(power_off)
    TUTTI_MEMBER(reboot)
    TUTTI_MEMBER(debug_exit)
    TUTTI_MEMBER(allocate_interrupt)
    TUTTI_MEMBER(free_interrupt)
    TUTTI_MEMBER(has_interrupt_messages)
    TUTTI_MEMBER(interrupt_message)
    TUTTI_MEMBER(route_line)
    TUTTI_MEMBER(mask_line)
    TUTTI_MEMBER(pci_windows)
    TUTTI_MEMBER(pci_ports)
    TUTTI_MEMBER(pci_pin_line)
    TUTTI_MEMBER(virtio_mmio_slots)
};

static_assert(hal::Clock<Port>);
static_assert(hal::Cpus<Port>);
static_assert(hal::CpuInterrupts<Port>);
static_assert(hal::Machine<Port>);
static_assert(hal::DeviceInterrupts<Port>);
static_assert(hal::Buses<Port>);
static_assert(hal::CorePlatform<Port> && hal::DevicePlatform<Port>);

}  // namespace
}  // namespace tutti::platform
