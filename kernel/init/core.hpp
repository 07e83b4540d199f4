// SPDX-License-Identifier: BSD-3-Clause
// The first steps of every image: memory, the SMP core, threads, the other CPUs. Boot CPU, in this order.
#pragma once

#include "init/command_line.hpp"

namespace tutti::init {

// An error of whoever started the machine: says so and ends it.
[[noreturn]] void refuse(std::string_view why);

// Refuses a command line that is wrong.
[[nodiscard]] CommandLine read_command_line();
void start_memory(CommandLine const& command_line);
void start_smp_core();
// This context becomes the thread "main"; interrupts are on afterwards.
void start_threads();
// They come up while this CPU goes on.
void start_other_cpus();
// Warns when some do not come.
void wait_for_all_cpus();

}  // namespace tutti::init
