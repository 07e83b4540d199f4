// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// A child process that never outlives this one.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "unique_fd.hpp"

namespace tutti::cli {

struct ChildOptions {
    std::vector<std::string> arguments;  // argv; argv[0] is looked up in PATH
    std::vector<int> inherited;          // descriptors kept open under their own numbers
    int input = -1;                      // becomes its standard input; -1: /dev/null. Likewise output, error:
    int output = -1;                     // -1: this process's own
    int error = -1;
    bool own_session = true;             // away from the terminal, so that Ctrl-C reaches only this process
};

class ChildProcess {
  public:
    // Throws CliError when it cannot be started; `advice` says what to do when the program is not found.
    ChildProcess(ChildOptions const& options, std::string const& advice);
    ChildProcess(ChildProcess const&) = delete;
    ChildProcess& operator=(ChildProcess const&) = delete;
    ~ChildProcess();  // kills it if it still runs

    // Becomes readable when the child has ended.
    [[nodiscard]] int pid_fd() const { return pid_fd_.get(); }
    // The wait status when it has ended; waits for that when `block`.
    std::optional<int> wait(bool block);
    void kill();

  private:
    pid_t pid_ = -1;
    UniqueFd pid_fd_;
    std::optional<int> status_;
};

}  // namespace tutti::cli
