// SPDX-License-Identifier: BSD-3-Clause
// Registers of an interrupted context: the simulated machine's interrupts have none to show.
#pragma once

#include "base/types.hpp"

namespace tutti::arch {

struct TrapFrame {};

}  // namespace tutti::arch
