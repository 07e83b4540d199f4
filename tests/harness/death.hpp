// SPDX-License-Identifier: BSD-3-Clause
// Expected deaths: the panic of one thread is taken before anything is stopped, and judged.
//
//   panic -> base: panic_formatted() -> intercept_panic() -- the expected thread's? --> message kept, CPU put back on
//                                             |                                          the Thread rung, thread ends
//                                             +------ no: the panic handler that was there before, the end of the run
#pragma once

namespace tutti::harness {

// Puts itself before the panic handler. Once, before the first case.
void death_init();

}  // namespace tutti::harness
