// SPDX-License-Identifier: BSD-3-Clause
// How the machine is switched off and reset.
#pragma once

#include "platform/pc/acpi_tables.hpp"

namespace tutti::platform {

// Remembers how this machine is switched off.
void power_init(AcpiFacts const& facts);

}  // namespace tutti::platform
