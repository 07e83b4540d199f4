// SPDX-License-Identifier: BSD-3-Clause
// The console of last resort: polled, usable from the first instruction to the last, in any context.
#pragma once

#include <string_view>

namespace tutti::hal {

// Writes to the first serial port, byte by byte, waiting for room. Lines from several CPUs may interleave.
void early_console_write(std::string_view text);

}  // namespace tutti::hal
