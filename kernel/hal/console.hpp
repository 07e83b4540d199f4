// SPDX-License-Identifier: BSD-3-Clause
// The console of last resort: polled, usable from the first instruction to the last, in any context.
#pragma once

#include <string_view>

namespace tutti::hal {

// Writes to the first serial port, byte by byte, waiting for room. Lines from several CPUs may interleave.
void early_console_write(std::string_view text);

// Writes a line, of fewer than 128 characters with its newline. Where the console is a hypervisor's, no other text comes
// between its characters.
void console_write_line(std::string_view line);

}  // namespace tutti::hal
