// SPDX-License-Identifier: BSD-3-Clause
// `tutti gdb`: the guest, stopped at its first instruction, with gdb attached to all its CPUs.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

#include "child_process.hpp"
#include "cli_error.hpp"
#include "guest_plan.hpp"
#include "guest_session.hpp"
#include "run_command.hpp"

namespace tutti::cli {
namespace {

// A directory of this user's own that is removed at the end.
class PrivateDirectory {
  public:
    PrivateDirectory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "tutti-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw CliError("Cannot make a directory in " + pattern + ".");
        path_ = pattern;
    }
    ~PrivateDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    PrivateDirectory(PrivateDirectory const&) = delete;
    PrivateDirectory& operator=(PrivateDirectory const&) = delete;
    [[nodiscard]] std::string const& path() const { return path_; }

  private:
    std::string path_;
};

// Beside the image; a flat one has no symbols of its own.
std::string symbol_file(std::string const& kernel) {
    constexpr std::string_view kFlat = ".Image";
    std::string const elf = kernel.ends_with(kFlat) ? kernel.substr(0, kernel.size() - kFlat.size()) + ".elf" : kernel;
    std::string const debug = elf + ".debug";
    return ::access(debug.c_str(), R_OK) == 0 ? debug : elf;
}

}  // namespace

int gdb_command(RunOptions const& options) {
    GuestPlan plan = make_guest_plan(options);
    PrivateDirectory const directory;
    plan.machine.debug_socket = directory.path() + "/gdb";
    std::string const symbols = symbol_file(plan.machine.kernel);
    bool const foreign = host_architecture() != plan.machine.architecture;
    std::string const debugger = foreign ? "gdb-multiarch" : "gdb";

    // gdb has the terminal; the program in the guest gets an empty input.
    SessionOptions const session_options{.verbose = options.verbose, .pass_input = false, .terminal = false, .debugger = true,
                                         .time_limit = std::nullopt};
    OutputFiles outputs(plan.outputs);
    GuestSession session(session_options, outputs);
    session.on_started([&] {
        // gdb waits for the socket itself: QEMU makes it before the machine exists, but after exec.
        ChildOptions const gdb{
            .arguments = {debugger, "-q", symbols, "-ex", "set pagination off", "-ex", "set tcp connect-timeout 10", "-ex",
                          "shell while ! test -S " + plan.machine.debug_socket + "; do sleep 0.1; done", "-ex",
                          "target remote " + plan.machine.debug_socket, "-ex", "set pagination on"},
            .inherited = {},
            .input = STDIN_FILENO,
            .own_session = false};
        return std::make_unique<ChildProcess>(gdb, "Install it with: apt-get install " + debugger);
    });
    std::cerr << "tutti: The machine is stopped at its first instruction. `continue` lets it run;\n"
                 "tutti: `info threads` lists the CPUs; `hbreak FUNCTION` works before paging is set up.\n";
    return session.run(*plan.platform, plan.machine).status;
}

}  // namespace tutti::cli
