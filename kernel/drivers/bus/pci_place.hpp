// SPDX-License-Identifier: BSD-3-Clause
// Places device memory where no firmware has done so.
#pragma once

#include <span>

#include "base/result.hpp"
#include "drivers/bus/pci_config.hpp"

namespace tutti::drivers {

// For functions on the first bus of a window with apertures: gives each region without an address one. What finds no room,
// or lies behind a bridge, is logged and stays unplaced. Error::NoMemory. Before the first driver; thread context.
[[nodiscard]] Result<> pci_place_regions(std::span<PciAddress const> functions);

}  // namespace tutti::drivers
