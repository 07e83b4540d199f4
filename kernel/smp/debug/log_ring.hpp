// SPDX-License-Identifier: BSD-3-Clause
// The kernel log: records go into a lock-free ring from any context; one CPU at a time drains it to the console.
//
// A writer never waits: it claims a record by a counter, fills it, marks it complete, and drains the ring if nobody else
// does. An NMI only records. A ring that is overrun loses the oldest records and says how many.
#pragma once

#include <string_view>

#include "base/log.hpp"

namespace tutti::smp {

// Replaces the early sink that writes straight to the console. Boot CPU.
void log_init();
// Writes a line to the console, whole: not amid one of the log's. In an interrupt handler it may be, for the code that was
// interrupted may be the one that writes. Any context.
void write_console_line(std::string_view line);
// Writes what is left, whoever was draining: for the end of the machine.
void log_flush_for_panic();

}  // namespace tutti::smp
