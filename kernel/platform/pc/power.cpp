// SPDX-License-Identifier: BSD-3-Clause
#include "platform/pc/power.hpp"

#include "arch/cpu.hpp"
#include "hal/clock.hpp"
#include "hal/power.hpp"
#include "platform/pc/boot_memory.hpp"
#include "platform/xen/xen.hpp"

namespace tutti::platform {
namespace {
constinit AcpiFacts acpi{};
constinit u8 volatile* sleep_control = nullptr;
constexpr u16 kDebugExitPort = 0xf4;
constexpr u16 kSleepEnable = 1u << 13;
}  // namespace

void power_init(AcpiFacts const& facts) {
    acpi = facts;
    if (facts.sleep_control_register != 0 && facts.pm1a_control_port == 0)
        sleep_control = static_cast<u8 volatile*>(boot_map_device(PhysAddr{facts.sleep_control_register}, 1));
}

}  // namespace tutti::platform

namespace tutti::hal {

using namespace platform;

void power_off() {
    arch::disable_interrupts();
    if (xen::present()) xen::shutdown(xen::Shutdown::PowerOff);
    // ACPI 6.4, 4.8.3.2.1 and, for hardware-reduced machines (microvm), 4.8.3.7.
    if (acpi.pm1a_control_port != 0)
        arch::out16(acpi.pm1a_control_port, static_cast<u16>(acpi.sleep_type_s5 << 10 | kSleepEnable));
    if (sleep_control != nullptr) *sleep_control = static_cast<u8>(5 << 2 | 1u << 5);
    // A hypervisor ends the machine a little later than this; without a clock yet, it gets no time for that.
    if (hal::counter_frequency() != 0) hal::delay(Nanoseconds::from_ms(500));
    // No way to switch off: a reset ends a virtual machine that was started with -no-reboot.
    reboot();
}

void reboot() {
    arch::disable_interrupts();
    if (xen::present()) xen::shutdown(xen::Shutdown::Reboot);
    if (acpi.reset_register != 0 && acpi.reset_in_io_space)
        arch::out8(static_cast<u16>(acpi.reset_register), acpi.reset_value);
    arch::out8(0x64, 0xfe);  // keyboard controller: pulse the reset line
    // A triple fault resets any PC: an empty interrupt table and an exception.
    struct [[gnu::packed]] {
        u16 limit = 0;
        u64 base = 0;
    } const empty;
    asm volatile("lidt %0; ud2" ::"m"(empty));
    arch::halt_forever();
}

void debug_exit(unsigned char code) {
    arch::disable_interrupts();
    arch::out32(kDebugExitPort, code);  // dom0 of Xen reaches it too
    if (xen::present() && code != 0) xen::shutdown(xen::Shutdown::Crash);
    power_off();
}

}  // namespace tutti::hal
