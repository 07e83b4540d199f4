// SPDX-License-Identifier: BSD-3-Clause
// What the portable layers ask of a platform, as concepts. A platform defines the functions that this folder declares;
// kernel/platform/contract.cpp holds those declarations, as each port is built with them, against these concepts, and the
// linker says which definition is missing. What each member does is said at its declaration.
#pragma once

#include <concepts>
#include <optional>
#include <span>
#include <string_view>

#include "hal/boot_info.hpp"
#include "hal/clock.hpp"
#include "hal/interrupts.hpp"
#include "hal/pci.hpp"
#include "hal/virtio_mmio.hpp"

namespace tutti::hal {

// P: the functions of the named header as static members.

// clock.hpp
template <class P>
concept Clock = requires(Deadline deadline, void (*handler)(), Nanoseconds duration) {
    { P::now() } -> std::same_as<Nanoseconds>;
    { P::sched_clock() } -> std::same_as<Nanoseconds>;
    { P::counter_scale() } -> std::same_as<CounterScale>;
    { P::counter_frequency() } -> std::same_as<u64>;
    { P::wall_clock_at_boot() } -> std::same_as<Nanoseconds>;
    { P::arm_timer(deadline) } -> std::same_as<void>;
    { P::set_timer_handler(handler) } -> std::same_as<void>;
    { P::delay(duration) } -> std::same_as<void>;
};

// cpu.hpp: any number of CPUs, known at run time.
template <class P>
concept Cpus = requires(void (*entry)(), CpuId cpu) {
    { P::cpu_count() } -> std::same_as<u32>;
    { P::start_secondary_cpus(entry) } -> std::same_as<void>;
    { P::is_virtual_machine() } -> std::same_as<bool>;
    { P::percpu_area(cpu) } -> std::same_as<void*>;
};

// interrupts.hpp: between CPUs.
template <class P>
concept CpuInterrupts = requires(CpuId target, IpiKind kind, IpiHandler handler) {
    { P::set_ipi_handler(kind, handler) } -> std::same_as<void>;
    { P::send_ipi(target, kind) } -> std::same_as<void>;
    { P::send_nmi(target) } -> std::same_as<void>;
};

// boot_info.hpp, console.hpp, power.hpp: the machine's beginning, its last words and its end.
template <class P>
concept Machine = requires(std::string_view text, unsigned char code) {
    { P::boot_info() } -> std::same_as<BootInfo const&>;
    { P::early_console_write(text) } -> std::same_as<void>;
    { P::console_write_line(text) } -> std::same_as<void>;
    { P::power_off() } -> std::same_as<void>;
    { P::reboot() } -> std::same_as<void>;
    { P::debug_exit(code) } -> std::same_as<void>;
};

// interrupts.hpp: of devices.
template <class P>
concept DeviceInterrupts = requires(CpuId target, InterruptHandler handler, void* argument, InterruptHandle handle,
                                    MessageSource source, InterruptLine line, u32 gsi) {
    { P::allocate_interrupt(target, handler, argument) } -> std::same_as<Result<InterruptHandle>>;
    { P::free_interrupt(handle) } -> std::same_as<void>;
    { P::has_interrupt_messages() } -> std::same_as<bool>;
    { P::interrupt_message(handle, source) } -> std::same_as<Result<InterruptMessage>>;
    { P::route_line(line, handle) } -> std::same_as<Result<>>;
    { P::mask_line(gsi) } -> std::same_as<void>;
};

// pci.hpp, virtio_mmio.hpp: where devices are.
template <class P>
concept Buses = requires(u16 segment, u8 device, u8 pin) {
    { P::pci_windows() } -> std::same_as<std::span<PciWindow const>>;
    { P::pci_ports() } -> std::same_as<PciPorts const*>;
    { P::pci_pin_line(segment, device, pin) } -> std::same_as<std::optional<InterruptLine>>;
    { P::virtio_mmio_slots() } -> std::same_as<std::span<VirtioMmioSlot const>>;
};

// What the layers up to vm/ need: a platform that has this runs the portable core.
template <class P>
concept CorePlatform = Clock<P> && Cpus<P> && CpuInterrupts<P> && Machine<P>;

// What drivers/ needs as well, on a machine with buses.
template <class P>
concept DevicePlatform = CorePlatform<P> && DeviceInterrupts<P> && Buses<P>;

}  // namespace tutti::hal
