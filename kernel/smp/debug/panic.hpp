// SPDX-License-Identifier: BSD-3-Clause
// The end: a panic stops every CPU and reports where each of them was.
#pragma once

#include "base/types.hpp"

namespace tutti::smp {

// Registers the panic handler and the stop request's NMI. Boot CPU, before secondary CPUs start.
void panic_init();

// Prints where every CPU is and lets them go on: for tests that hang. Thread context, or an interrupt handler.
void report_all_cpus();
// The same for one CPU.
void report_cpu(CpuId cpu);

}  // namespace tutti::smp
