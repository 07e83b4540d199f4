// SPDX-License-Identifier: BSD-3-Clause
// There are no configuration ports: hal::pci_ports_present() says so.
#pragma once

#include "base/assert.hpp"
#include "base/types.hpp"

namespace tutti::arch {

[[nodiscard]] inline u32 pci_ports_read(u32) { panic("no PCI configuration ports"); }
inline void pci_ports_write(u32, u32) { panic("no PCI configuration ports"); }

}  // namespace tutti::arch
