// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// What `tutti run` and `tutti gdb` are asked to do.

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tutti::cli {

struct RunOptions {
    unsigned cpus = 1;
    std::string memory;               // empty: chosen by the size of the files
    std::string platform = "qemu";
    std::string architecture;         // empty: the program's
    std::string machine;              // empty: the platform's default
    std::string cpu_model;            // empty: all that there is
    std::string accelerator = "auto";
    std::vector<std::string> environment;  // "K=V", or "K" for the host's value
    std::vector<std::string> copies;       // "HOST:GUEST"
    std::vector<std::string> outputs;      // "GUEST:HOST"
    std::string root = "/";
    std::string working_directory = "/";
    std::string input = "link";       // "link" or "null"
    double time_limit = 0;            // seconds; 0: none
    std::string kernel;               // empty: beside this program
    bool debug_kernel = false;
    bool verbose = false;
    bool summary = false;
    std::string summary_file;
    std::string append;               // more words for the kernel's command line
    std::vector<std::string> command; // the program and its arguments

    // Declares them on a subcommand; this object must live until the parse is over.
    void declare(CLI::App& app);
};

}  // namespace tutti::cli
