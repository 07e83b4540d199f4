// SPDX-License-Identifier: BSD-3-Clause
// What the interrupt translation service needs of the controller it belongs to.
#pragma once

#include "base/types.hpp"

namespace tutti::platform {

// The first frame; null registers until the CPU has run init_cpu.
struct Redistributor {
    u8 volatile* registers;
    PhysAddr physical;
};
[[nodiscard]] Redistributor redistributor_of(CpuId cpu);
[[nodiscard]] u32 gic_v3_type();  // GICD_TYPER

}  // namespace tutti::platform
