// SPDX-License-Identifier: BSD-3-Clause
// `tutti`: runs unmodified Linux programs, each as its own multi-core virtual machine.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "cli_error.hpp"
#include "guest_plan.hpp"
#include "run_command.hpp"
#include "run_options.hpp"

namespace tutti::cli {
namespace {

// Replaces this process; returns only by throwing.
[[noreturn]] void become(std::vector<std::string> const& command) {
    std::vector<char*> argv;
    for (std::string const& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    throw CliError("Cannot run " + command[0] + ": " + std::strerror(errno) + ".");
}

// The source folder of the build this program belongs to, for scripts that are not built.
std::string source_directory() { return TUTTI_SOURCE_DIRECTORY; }

[[noreturn]] void run_script(std::string const& script, std::vector<std::string> arguments) {
    std::string const path = source_directory() + "/" + script;
    if (!std::filesystem::exists(path)) {
        throw CliError(path + " is not there. This command works in a checkout of the sources only.");
    }
    arguments.insert(arguments.begin(), path);
    become(arguments);
}

int main(int argc, char** argv) {
    CLI::App app{"Tutti runs unmodified Linux programs, each as its own multi-core virtual machine.", "tutti"};
    app.require_subcommand(1);
    app.footer("Example: tutti run --cpus 4 --copy big.tar:/big.tar --out /big.tar.zst:. -- zstd -T4 /big.tar");

    RunOptions options;
    CLI::App* run = app.add_subcommand("run", "Run a program and return its exit status");
    options.declare(*run);
    RunOptions gdb_options;
    CLI::App* gdb = app.add_subcommand("gdb", "Run a program under gdb, which sees all CPUs and the kernel's symbols");
    gdb_options.declare(*gdb);
    gdb_options.debug_kernel = true;
    CLI::App* test = app.add_subcommand("test", "Run the tests; further words go to ctest (-R PATTERN, -L LABEL)");
    test->prefix_command();
    CLI::App* bench = app.add_subcommand("bench", "Run the benchmarks; further words go to bench/run");
    bench->prefix_command();
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& error) {
        int const status = app.exit(error);
        return status == 0 ? 0 : kTuttiFailed;
    }
    try {
        if (run->parsed()) return run_command(options);
        if (gdb->parsed()) return gdb_command(gdb_options);
        std::vector<std::string> words = (test->parsed() ? test : bench)->remaining();
        if (test->parsed()) {
            words.insert(words.begin(), build_directory());
            run_script("scripts/run-tests", words);
        }
        words.insert(words.begin(), {"--build", build_directory()});
        run_script("bench/run", words);
    } catch (CliError const& error) {
        std::cerr << "tutti: " << error.what() << "\n";
        return error.status();
    } catch (std::exception const& error) {
        std::cerr << "tutti: " << error.what() << "\n";
        return kTuttiFailed;
    }
}

}  // namespace
}  // namespace tutti::cli

int main(int argc, char** argv) { return tutti::cli::main(argc, argv); }
