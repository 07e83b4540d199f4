// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// `tutti run` and `tutti gdb`.

#include "run_options.hpp"

namespace tutti::cli {

// Both return the exit status of `tutti` and throw CliError.
int run_command(RunOptions const& options);
int gdb_command(RunOptions const& options);

}  // namespace tutti::cli
