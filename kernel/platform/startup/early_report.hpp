// SPDX-License-Identifier: BSD-3-Clause
// What the boot CPU says before smp/debug can: log lines, panics, and machines that cannot be used.
#pragma once

#include <string_view>

namespace tutti::platform {

// Log lines and panics go to the early console, until others take over.
void early_reports_init();
// The machine cannot be used; `message` is a sentence without a full stop.
[[noreturn]] void stop(std::string_view message);

}  // namespace tutti::platform
