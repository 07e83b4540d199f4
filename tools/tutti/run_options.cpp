// SPDX-License-Identifier: BSD-3-Clause
#include "run_options.hpp"

#include <CLI/CLI.hpp>

namespace tutti::cli {

void RunOptions::declare(CLI::App& app) {
    app.add_option("--cpus", cpus, "Virtual CPUs")->capture_default_str()->type_name("N");
    app.add_option("--memory", memory, "Memory, for example 512M or 2G (default 512M, more for large files)")
        ->type_name("SIZE");
    app.add_option("--platform", platform, "What the guest runs on: qemu, linuxu or xen")->capture_default_str();
    app.add_option("--arch", architecture, "x86_64 or aarch64 (default: what the program is for)");
    app.add_option("--machine", machine,
                   "Virtual machine: for x86_64 q35 (default), pc or microvm; for aarch64 virt-gicv3 (default) or virt-gicv2");
    app.add_option("--cpu-model", cpu_model, "CPU to imitate, by QEMU's name (default: all that there is)")->type_name("MODEL");
    app.add_option("--accel", accelerator, "auto, kvm or tcg")->capture_default_str();
    // `expected` keeps an option from swallowing the words after it.
    auto const repeated = [&](char const* name, std::vector<std::string>& values, char const* help, char const* type) {
        app.add_option(name, values, help)->type_name(type)->expected(1)->take_all()->allow_extra_args(false);
    };
    repeated("--env", environment, "Environment variable; without =V the host's value (repeatable)", "K[=V]");
    repeated("--copy", copies, "Put a host file or directory into the guest (repeatable)", "HOST:GUEST");
    repeated("--out", outputs, "Copy a file or directory of the guest to the host afterwards (repeatable)", "GUEST:HOST");
    app.add_option("--root", root, "Take the program and its libraries from this directory tree")->type_name("DIR");
    app.add_option("--cwd", working_directory, "Working directory in the guest")->type_name("DIR");
    app.add_option("--stdin", input, "link: pass standard input on; null: the program reads an empty one")
        ->check(CLI::IsMember({"link", "null"}));
    app.add_option("--timeout", time_limit, "Stop after this many seconds, with status 124")
        ->type_name("SECONDS")->check(CLI::NonNegativeNumber);
    app.add_option("--kernel", kernel, "Kernel image (default: the one beside this program)")->type_name("FILE");
    app.add_flag("--debug", debug_kernel, "Use the debug kernel: assertions on");
    app.add_flag("--verbose", verbose, "Show kernel messages as they come, and what is done");
    app.add_flag("--summary", summary, "Afterwards say how long things took and how busy each CPU was");
    app.add_option("--summary-file", summary_file, "Write that as JSON")->type_name("FILE");
    app.add_option("--append", append, "More words for the kernel's command line")->type_name("WORDS");
    app.add_option("command", command, "The program, then its arguments")->type_name("PROGRAM ARGS...")->required();
    app.positionals_at_end();
}

}  // namespace tutti::cli
