// SPDX-License-Identifier: BSD-3-Clause
// The first 16550 UART, polled: the console of last resort on q35, pc and microvm alike; on Xen its console is.
#include <atomic>

#include "arch/cpu.hpp"
#include "hal/console.hpp"
#include "platform/xen/xen.hpp"

namespace tutti::hal {
namespace {
constexpr u16 kPort = 0x3f8;
constexpr u16 kLineStatus = kPort + 5;
constexpr u8 kTransmitterEmpty = 0x20;

ISR_SAFE void put(char c) {
    // A missing port reads as all ones and never makes us wait; a stuck one is given up after a while.
    for (int i = 0; i < 100000 && (arch::in8(kLineStatus) & kTransmitterEmpty) == 0; ++i) arch::pause();
    arch::out8(kPort, static_cast<u8>(c));
}
}  // namespace

ISR_SAFE void early_console_write(std::string_view text) {
    if (platform::xen::present()) return platform::xen::console_write(text);
    for (char const c : text) {
        if (c == '\n') put('\r');
        put(c);
    }
}

void console_write_line(std::string_view line) { early_console_write(line); }

}  // namespace tutti::hal
