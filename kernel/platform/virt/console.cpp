// SPDX-License-Identifier: BSD-3-Clause
// The PL011 UART, polled (Arm DDI 0183). It was set up by firmware or needs no setting up.
#include "platform/virt/console.hpp"

#include "arch/cpu.hpp"
#include "arch/memory_layout.hpp"
#include "hal/console.hpp"
#include "platform/xen/xen.hpp"

namespace tutti::platform {
namespace {

constexpr u64 kWindowConsole = arch::kBootWindow + (u64{4} << 21);  // entry.S maps it there

constinit u64 registers = kWindowConsole;  // 0: no console

constexpr u64 kData = 0x00;
constexpr u64 kFlags = 0x18;
constexpr u32 kTransmitFull = 1u << 5;

ALWAYS_INLINE u32 volatile& at(u64 offset) { return *reinterpret_cast<u32 volatile*>(registers + offset); }

ISR_SAFE void put(char c) {
    // A stuck one is given up after a while.
    for (int i = 0; i < 100000 && (at(kFlags) & kTransmitFull) != 0; ++i) arch::pause();
    at(kData) = static_cast<u8>(c);
}

}  // namespace

void console_use(void* pl011) { registers = reinterpret_cast<u64>(pl011); }

}  // namespace tutti::platform

namespace tutti::hal {

ISR_SAFE void early_console_write(std::string_view text) {
    if (platform::registers == 0) return;
    if (platform::registers == platform::kWindowConsole && platform::xen::present()) return platform::xen::console_write(text);
    for (char const c : text) {
        if (c == '\n') platform::put('\r');
        platform::put(c);
    }
}

// vpl011 takes characters one by one, Xen's own console a line at once.
void console_write_line(std::string_view line) {
    if (platform::xen::present())
        platform::xen::console_write(line);
    else
        early_console_write(line);
}

}  // namespace tutti::hal
