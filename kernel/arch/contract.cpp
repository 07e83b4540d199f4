// SPDX-License-Identifier: BSD-3-Clause
// Compiles when the architecture has what the portable core needs.
#include "arch/contract.hpp"

#include "hal/architecture.hpp"

namespace tutti::arch {
static_assert(hal::InterruptMask<CorePort>);
static_assert(hal::SpinWait<CorePort>);
static_assert(hal::PerCpuStorage<CorePort>);
static_assert(hal::StackSwitch<CorePort>);
static_assert(hal::DirectMap<CorePort>);
static_assert(hal::CrashReport<CorePort>);
static_assert(hal::CoreArchitecture<CorePort>);
}  // namespace tutti::arch
