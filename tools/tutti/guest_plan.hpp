// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// From options to a machine that can be started: what `tutti run` and `tutti gdb` share.

#include <memory>
#include <string>
#include <vector>

#include "initrd.hpp"
#include "machine.hpp"
#include "manifest.hpp"
#include "output_files.hpp"
#include "platform.hpp"
#include "run_options.hpp"

namespace tutti::cli {

struct GuestPlan {
    Platform const* platform = nullptr;
    MachineConfig machine;
    Manifest manifest;
    std::unique_ptr<Initrd> initrd;
    std::vector<PathPair> outputs;
    std::vector<std::string> notes;  // what the user may want to know before the start
};

// Reads the files and packs them. Throws CliError.
GuestPlan make_guest_plan(RunOptions const& options);

// The directory this program lies in; its kernels are there too.
std::string build_directory();

}  // namespace tutti::cli
