// SPDX-License-Identifier: BSD-3-Clause
// The way from a booted kernel to a running Linux program, and from its end to the power switch.
#pragma once

#include "base/result.hpp"

namespace tutti::linux_abi {

// Registers the hooks through which programs reach this layer: system calls, exceptions, signals of the host. Once, by
// the boot CPU, after sched::init() and vm::init(). Error::NoMemory.
[[nodiscard]] Result<> initialize();

// Runs the program that the manifest names (`.tutti/manifest` of the root namespace, hal/manifest.hpp) to its end: process,
// standard streams, working directory, image, first thread; then sends result files, summary and exit status over the
// host link and powers the machine off. An error before the first instruction is told to the user through the link, with
// the exit status of a shell: 127 not found, 126 not executable, 125 otherwise.
//
// The calling thread becomes the one that waits. Needs: devices started (host link), vfs::root_namespace() set, the
// initial archive unpacked into it, /dev and /proc mounted.
[[noreturn]] void run_program();

}  // namespace tutti::linux_abi
