// SPDX-License-Identifier: BSD-3-Clause
#include "run_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <string>

#include "cli_error.hpp"
#include "guest_plan.hpp"
#include "guest_session.hpp"
#include "run_report.hpp"
#include "size.hpp"

namespace tutti::cli {
namespace {

SessionOptions session_options(RunOptions const& options, GuestPlan const& plan) {
    SessionOptions session{.verbose = options.verbose,
                           .pass_input = plan.manifest.input_from_link,
                           .terminal = plan.manifest.terminal};
    if (options.time_limit > 0) session.time_limit = std::chrono::duration<double>(options.time_limit);
    return session;
}

void say_what_is_done(GuestPlan const& plan) {
    std::cerr << "tutti: " << plan.machine.cpus << " CPU(s), " << format_size(plan.machine.memory) << " memory, "
              << plan.platform->describe(plan.machine) << ", initial file system "
              << plan.initrd->size() / kKiB << " KiB\n";
}

}  // namespace

int run_command(RunOptions const& options) {
    GuestPlan const plan = make_guest_plan(options);
    for (std::string const& note : plan.notes) std::cerr << "tutti: note: " << note << "\n";
    if (options.verbose) say_what_is_done(plan);

    OutputFiles outputs(plan.outputs);
    GuestSession session(session_options(options, plan), outputs);
    SessionResult result = session.run(*plan.platform, plan.machine);

    bool const ended_itself = result.status < kSignalBase && result.status != kTimedOut;
    if (auto const missing = outputs.missing(); ended_itself && !missing.empty()) {
        for (std::string const& path : missing) {
            std::cerr << "tutti: --out: the guest has no " << path << " at the end of the program.\n";
        }
        if (result.status == 0) result.status = kTuttiFailed;
    }
    if (options.summary) std::cerr << readable_summary(result);
    if (!options.summary_file.empty()) {
        std::ofstream file(options.summary_file);
        if (!(file << json_summary(result)).flush()) throw CliError("Cannot write " + options.summary_file + ".");
    }
    return result.status;
}

}  // namespace tutti::cli
