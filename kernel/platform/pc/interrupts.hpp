// SPDX-License-Identifier: BSD-3-Clause
// Vector dispatch and the I/O APICs.
#pragma once

#include "platform/pc/acpi_tables.hpp"

namespace tutti::platform {

void add_io_apic(IoApicDescription const& description);
void add_isa_override(u8 irq, u32 gsi, bool level, bool active_low);
// Boot CPU, after the tables were read: maps and masks every I/O APIC, masks the legacy controllers, hooks dispatch.
void interrupts_init();

}  // namespace tutti::platform
