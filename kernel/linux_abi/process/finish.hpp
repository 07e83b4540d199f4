// SPDX-License-Identifier: BSD-3-Clause
// What happens when the last thread of the process has ended.
#pragma once

#include "linux_abi/process/process.hpp"

namespace tutti::linux_abi {

// Stops timers, closes files, and tells the registered observer (process/start.cpp: sends results and powers off).
// Thread context, on the last thread.
void finish_process(Process& process);

using ExitObserver = void (*)(Process& process, ExitStatus status);
void set_exit_observer(ExitObserver observer);

}  // namespace tutti::linux_abi
