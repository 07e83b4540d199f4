// SPDX-License-Identifier: BSD-3-Clause
#include "platform/virt/psci.hpp"

#include "arch/cpu.hpp"
#include "arch/user_access.hpp"
#include "hal/power.hpp"
#include "platform/xen/xen.hpp"

namespace tutti::platform {
namespace {

constinit PsciConduit conduit = PsciConduit::None;

constexpr u64 kCpuOn = 0xc4000003;
constexpr u64 kSystemOff = 0x84000008;
constexpr u64 kSystemReset = 0x84000009;
constexpr i64 kNotSupported = -1;

// Registers as the SMC calling convention has them (Arm DEN 0028): x0 to x17 may change.
i64 call(u64 function, u64 a = 0, u64 b = 0, u64 c = 0) {
    register u64 x0 asm("x0") = function;
    register u64 x1 asm("x1") = a;
    register u64 x2 asm("x2") = b;
    register u64 x3 asm("x3") = c;
    switch (conduit) {
        case PsciConduit::None: return kNotSupported;
        case PsciConduit::Hvc:
            asm volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
                         "x12", "x13", "x14", "x15", "x16", "x17", "memory");
            break;
        case PsciConduit::Smc:
            asm volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
                         "x12", "x13", "x14", "x15", "x16", "x17", "memory");
            break;
    }
    return static_cast<i64>(x0);
}

}  // namespace

void psci_init(PsciConduit found) { conduit = found; }

i64 psci_start_cpu(u64 affinity, PhysAddr entry, u64 context) { return call(kCpuOn, affinity, entry.value(), context); }

}  // namespace tutti::platform

namespace tutti::hal {

using namespace platform;

void power_off() {
    arch::disable_interrupts();
    (void)call(kSystemOff);
    arch::halt_forever();
}

void reboot() {
    arch::disable_interrupts();
    (void)call(kSystemReset);
    power_off();
}

// QEMU with -semihosting-config enable=on exits with the code itself (Semihosting for AArch32 and AArch64, SYS_EXIT).
void debug_exit(unsigned char code) {
    constexpr u64 kExit = 0x18;
    constexpr u64 kApplicationExit = 0x20026;
    arch::disable_interrupts();
    u64 const arguments[] = {kApplicationExit, code};
    (void)semihosting_call(kExit, arguments);
    if (xen::present() && code != 0) xen::shutdown(xen::Shutdown::Crash);
    power_off();
}

}  // namespace tutti::hal
