// SPDX-License-Identifier: BSD-3-Clause
// A network device: a tap interface of the host, with a queue for each CPU.
#pragma once

#include "base/types.hpp"

namespace tutti::platform {

// Opens as many queues as there are CPUs. Complains and ends the process when the host has no such interface for us. Before
// boot.
void open_tap(char const* interface, u32 cpus);
// Starts the driver, if a tap was opened.
void start_tap();

}  // namespace tutti::platform
