// SPDX-License-Identifier: BSD-3-Clause
// Remembers the PCI windows that the ACPI tables list.
#pragma once

#include "platform/pc/acpi_tables.hpp"

namespace tutti::platform {

void add_pci_segment(PciSegment const& segment);

}  // namespace tutti::platform
