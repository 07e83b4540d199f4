// SPDX-License-Identifier: BSD-3-Clause
#include "child_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli_error.hpp"

namespace tutti::cli {
namespace {

// Runs between fork and exec; returns only on failure, with errno set.
void become(ChildOptions const& options, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    if (options.own_session) ::setsid();
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);

    int const input = options.input >= 0 ? options.input : ::open("/dev/null", O_RDONLY);
    if (input != 0 && ::dup2(input, 0) < 0) return;
    if (options.output >= 0 && options.output != 1 && ::dup2(options.output, 1) < 0) return;
    if (options.error >= 0 && options.error != 2 && ::dup2(options.error, 2) < 0) return;
    for (int fd : options.inherited) {
        int const flags = ::fcntl(fd, F_GETFD);
        if (flags < 0 || ::fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC) < 0) return;
    }
    std::vector<char*> argv;
    for (std::string const& argument : options.arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
}

}  // namespace

ChildProcess::ChildProcess(ChildOptions const& options, std::string const& advice) {
    // The child reports a failed exec through a pipe that a successful exec closes.
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw CliError(std::string("Cannot make a pipe: ") + std::strerror(errno) + ".");
    UniqueFd const reader(ends[0]);
    UniqueFd writer(ends[1]);
    pid_t const parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) throw CliError(std::string("Cannot start a process: ") + std::strerror(errno) + ".");
    if (pid_ == 0) {
        become(options, parent);
        int const error = errno;
        [[maybe_unused]] ssize_t const count = ::write(writer.get(), &error, sizeof error);
        ::_exit(127);
    }
    writer.reset();
    int error = 0;
    ssize_t count = 0;
    do {
        count = ::read(reader.get(), &error, sizeof error);
    } while (count < 0 && errno == EINTR);
    if (count == sizeof error) {
        wait(true);
        std::string message = "Cannot start " + options.arguments.at(0) + ": " + std::strerror(error) + ".";
        if (error == ENOENT) message += " " + advice;
        throw CliError(message);
    }
    pid_fd_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (!pid_fd_.valid()) {
        kill();
        throw CliError(std::string("Cannot watch a process: ") + std::strerror(errno) + ".");
    }
}

ChildProcess::~ChildProcess() {
    if (!status_) {
        kill();
        wait(true);
    }
}

std::optional<int> ChildProcess::wait(bool block) {
    if (status_ || pid_ < 0) return status_;
    int status = 0;
    pid_t done = 0;
    do {
        done = ::waitpid(pid_, &status, block ? 0 : WNOHANG);
    } while (done < 0 && errno == EINTR);
    if (done == pid_) status_ = status;
    return status_;
}

void ChildProcess::kill() {
    if (pid_ > 0 && !status_) ::kill(pid_, SIGKILL);
}

}  // namespace tutti::cli
