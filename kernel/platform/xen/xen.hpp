// SPDX-License-Identifier: BSD-3-Clause
// Xen under us: whether it is, its console, and how a domain ends.
#pragma once

#include <span>
#include <string_view>

#include "base/types.hpp"

namespace tutti::platform::xen {

// Boot CPU, first of all: looks for Xen, and makes hypercalls work.
void detect();
void set_present();
// False until it was looked for.
[[nodiscard]] bool present();

// The memory of this domain, as Xen tells it on request: entries of 20 bytes as from the BIOS. Empty where there is none.
[[nodiscard]] std::span<u8 const> memory_map();

// To the hypervisor's own console, as it is. Any context.
void console_write(std::string_view text);

// Ends the domain; comes back when Xen does not do it.
enum class Shutdown : u32 { PowerOff = 0, Reboot = 1, Crash = 3 };
void shutdown(Shutdown reason);

}  // namespace tutti::platform::xen
