// SPDX-License-Identifier: BSD-3-Clause
// run-tap: boots a unit-test image under QEMU, or starts one that is a process, and judges its TAP output. Fails on a
// failed or missing test, a missing plan, a crash, a guest that ends otherwise than by saying "passed", and silence.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>

#include "child_process.hpp"
#include "cli_error.hpp"
#include "platform.hpp"
#include "size.hpp"
#include "tap_parser.hpp"
#include "xen_console.hpp"

namespace tutti::tap {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
    std::string image;
    std::string machine;
    std::string cpu_model;
    std::string accelerator = "tcg";
    std::string memory = "512M";
    std::string append;
    std::string record;
    unsigned cpus = 1;
    double time_limit = 300;
    double silence_limit = 90;
    bool count_instructions = false;
    bool native = false;
    bool verbose = false;
};

// What the guest printed, judged while it comes.
class Run {
  public:
    // `under_xen`: lines of the hypervisor come between.
    Run(bool verbose, bool under_xen) : verbose_(verbose), under_xen_(under_xen) {}

    void text(std::string_view bytes) {
        for (char c : bytes) {
            if (c == '\n') {
                line();
            } else if (c != '\r') {
                partial_.push_back(c);
            }
        }
    }
    void end() {
        if (!partial_.empty()) line();
    }
    [[nodiscard]] TapParser const& tap() const { return tap_; }
    [[nodiscard]] std::string const& log() const { return log_; }
    // The guest has said something.
    [[nodiscard]] bool has_begun() const { return has_begun_; }

  private:
    void line() {
        std::string_view const text = under_xen_ ? cli::guest_line(partial_).value_or("") : std::string_view(partial_);
        has_begun_ = has_begun_ || !text.empty();
        LineKind const kind = tap_.line(text);
        bool const shown = verbose_ || kind == LineKind::Fail || kind == LineKind::BailOut;
        if (shown) std::cout << partial_ << std::endl;
        constexpr std::size_t kProgressStep = 50;
        if (!verbose_ && kind == LineKind::Pass && tap_.results() % kProgressStep == 0) {
            std::cout << "# " << tap_.results() << " tests so far, " << tap_.failed().size() << " failed" << std::endl;
        }
        log_ += partial_ + "\n";
        partial_.clear();
    }

    bool verbose_;
    bool under_xen_;
    bool has_begun_ = false;
    TapParser tap_;
    std::string partial_;
    std::string log_;
};

cli::Architecture image_architecture(Options const& options) {
    if (auto const found = cli::architecture_of_kernel(options.image)) return *found;
    throw cli::CliError(options.image + " is not a kernel image.");
}

// An image that is a program (linuxu): the kernel's words are its own. One of another architecture runs under QEMU's
// imitation of Linux.
std::vector<std::string> native_arguments(Options const& options) {
    std::vector<std::string> arguments{options.image, "--cpus", std::to_string(options.cpus), "--memory", options.memory};
    if (cli::Architecture const architecture = image_architecture(options); cli::host_architecture() != architecture)
        arguments.insert(arguments.begin(), "qemu-" + std::string(cli::info(architecture).name));
    std::istringstream words(options.append);
    for (std::string word; words >> word;) arguments.push_back(word);
    return arguments;
}

cli::Platform const& platform_of(Options const& options) {
    return options.machine == cli::xen_platform().name() ? cli::xen_platform() : cli::qemu_platform();
}

// One machine of Arm64 has an ARMv8.0 CPU, so that nothing may rely on later extensions; the others have all there are.
std::string cpu_model(Options const& options, std::string const& machine) {
    if (!options.cpu_model.empty()) return options.cpu_model;
    return machine == "virt-gicv2" ? "cortex-a57" : "";
}

cli::Launch launch(Options const& options, int link_fd, int monitor_fd) {
    if (options.native) return {.arguments = native_arguments(options), .files = {}, .install_advice = "Install it with: apt-get install qemu-user"};
    cli::Platform const& platform = platform_of(options);
    cli::Architecture const architecture = image_architecture(options);
    std::string const machine = cli::choose_machine(platform, architecture, options.machine);
    return platform.launch({.architecture = architecture,
                            .machine = machine,
                            .accelerator = options.accelerator,
                            .cpu_model = cpu_model(options, machine),
                            .cpus = options.cpus,
                            .memory = cli::parse_size(options.memory),
                            .kernel = options.image,
                            .kernel_arguments = options.append,
                            .link_fd = link_fd,
                            .monitor_fd = monitor_fd,
                            .count_instructions = options.count_instructions});
}

// Xen hangs in its own boot in 2 to 3 runs of 90, under QEMU's emulation.
constexpr std::chrono::seconds kXenPatience{60};
constexpr unsigned kXenAttempts = 3;
constexpr char kNeverBegan[] = "the guest never said anything";
bool under_xen(Options const& options) { return &platform_of(options) == &cli::xen_platform(); }

// Runs the machine to its end or to a limit. Returns QEMU's wait status, or nothing with `stopped` saying why.
std::optional<int> run_machine(Options const& options, Run& run, std::string& errors, std::string& stopped) {
    // A peer for the virtio console, so that its driver has a device to drive; what arrives is dropped.
    int link[2];
    int log[2];
    int error[2];
    int monitor[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, link) != 0 ||
        ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, monitor) != 0 || ::pipe2(log, O_CLOEXEC) != 0 ||
        ::pipe2(error, O_CLOEXEC) != 0) {
        throw cli::CliError("Cannot make the machine's connections.");
    }
    cli::UniqueFd const link_here(link[0]);
    cli::UniqueFd link_guest(link[1]);
    cli::UniqueFd const log_here(log[0]);
    cli::UniqueFd log_guest(log[1]);
    cli::UniqueFd const error_here(error[0]);
    cli::UniqueFd error_guest(error[1]);
    cli::UniqueFd const monitor_here(monitor[0]);
    cli::UniqueFd monitor_guest(monitor[1]);

    cli::Launch const machine = launch(options, link_guest.get(), monitor_guest.get());
    std::vector<int> inherited{link_guest.get(), monitor_guest.get()};
    for (cli::UniqueFd const& file : machine.files) inherited.push_back(file.get());
    cli::ChildProcess qemu({.arguments = machine.arguments,
                            .inherited = inherited,
                            .output = log_guest.get(),
                            .error = error_guest.get()},
                           machine.install_advice);
    link_guest.reset();
    monitor_guest.reset();
    log_guest.reset();
    error_guest.reset();

    auto const started = Clock::now();
    auto last_output = started;
    auto const seconds = [](double value) { return std::chrono::duration<double>(value); };
    std::array<char, 65536> buffer;
    std::optional<Clock::time_point> asked;  // for a report, as the run is about to be stopped
    constexpr std::chrono::seconds kTimeToReport{3};
    bool log_open = true;
    bool link_open = true;
    bool error_open = true;
    while (log_open || !qemu.wait(false)) {
        auto const now = Clock::now();
        if (now - started > seconds(options.time_limit)) stopped = "the time limit is over";
        if (now - last_output > seconds(options.silence_limit * std::max(1.0, options.cpus / 8.0))) stopped = "the guest has been silent for too long (hang)";
        if (under_xen(options) && !run.has_begun() && now - started > kXenPatience) stopped = kNeverBegan;
        // A guest that is deaf to interrupts still hears a non-maskable one, and tells where its CPUs are.
        if (!stopped.empty() && !asked && !under_xen(options)) {
            asked = now;
            std::string_view constexpr kAsk = "nmi\n";
            (void)::send(monitor_here.get(), kAsk.data(), kAsk.size(), MSG_NOSIGNAL);
        }
        if (!stopped.empty() && (!asked || now - *asked > kTimeToReport)) {
            qemu.kill();
            qemu.wait(true);
            return std::nullopt;
        }
        std::array<pollfd, 4> polled{{{.fd = log_open ? log_here.get() : -1, .events = POLLIN, .revents = 0},
                                      {.fd = link_open ? link_here.get() : -1, .events = POLLIN, .revents = 0},
                                      {.fd = error_open ? error_here.get() : -1, .events = POLLIN, .revents = 0},
                                      {.fd = qemu.pid_fd(), .events = static_cast<short>(log_open ? 0 : POLLIN), .revents = 0}}};
        constexpr int kTickMs = 500;
        if (::poll(polled.data(), polled.size(), kTickMs) <= 0) continue;
        auto const take = [&](std::size_t index, bool& open) -> std::string_view {
            if (polled[index].revents == 0) return {};
            ssize_t const count = ::read(polled[index].fd, buffer.data(), buffer.size());
            if (count <= 0) open = false;
            return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
        };
        if (std::string_view const bytes = take(0, log_open); !bytes.empty()) {
            run.text(bytes);
            last_output = Clock::now();
        }
        take(1, link_open);
        errors += take(2, error_open);
    }
    return qemu.wait(true);
}

std::string tail(std::string const& text, std::size_t lines) {
    std::size_t at = text.size();
    for (std::size_t i = 0; i <= lines && at != std::string::npos && at > 0; ++i) at = text.rfind('\n', at - 1);
    return at == std::string::npos || at == 0 ? text : text.substr(at + 1);
}

int judge(Options const& options) {
    auto const started = Clock::now();
    std::optional<Run> attempt;
    std::string errors;
    std::string stopped;
    std::optional<int> status;
    for (unsigned i = 0; i < kXenAttempts; ++i) {
        attempt.emplace(options.verbose, under_xen(options));
        errors.clear();
        stopped.clear();
        status = run_machine(options, *attempt, errors, stopped);
        // Never once the guest has begun: what happens then is ours.
        if (stopped != kNeverBegan) break;
        std::cout << "# Xen did not start the guest; attempt " << i + 1 << " of " << kXenAttempts << std::endl;
    }
    Run& run = *attempt;
    run.end();
    double const seconds = std::chrono::duration<double>(Clock::now() - started).count();

    std::vector<std::string> problems = run.tap().problems();
    if (!stopped.empty()) problems.push_back("stopped: " + stopped);
    // The image ends with 0 for passed, 1 for failed.
    auto const status_of = [&](unsigned char code) -> int {
        return options.native ? code : platform_of(options).exit_status(image_architecture(options), code);
    };
    int const kPassed = status_of(0);
    int const kFailed = status_of(1);
    int const kCrashed = status_of(0x31);
    if (status && !(WIFEXITED(*status) && WEXITSTATUS(*status) == kPassed)) {
        int const code = WIFEXITED(*status) ? WEXITSTATUS(*status) : -WTERMSIG(*status);
        problems.push_back(code == kFailed    ? "the image reports failure"
                           : code == kCrashed ? "the kernel crashed"
                                              : "the machine ended with status " + std::to_string(code) +
                                                    " instead of reporting success");
    }
    if (!problems.empty() && !options.verbose) {
        constexpr std::size_t kTail = 150;
        std::cout << "# the end of the guest's output:\n" << tail(run.log(), kTail);
    }
    if (!problems.empty() && !errors.empty()) std::cout << "# On its standard error: " << errors;
    std::string const machine =
        options.native ? std::filesystem::path(options.image).filename().string()
                       : cli::choose_machine(platform_of(options), image_architecture(options), options.machine);
    std::cout << "# " << machine << ", " << options.cpus << " CPU(s): " << run.tap().passed() << " passed, "
              << run.tap().failed().size() << " failed, " << run.tap().skipped() << " skipped, " << std::fixed
              << std::setprecision(1) << seconds << " s\n";
    for (std::string const& problem : problems) std::cout << "# PROBLEM " << problem << "\n";
    if (!options.record.empty()) {
        if (auto const folder = std::filesystem::path(options.record).parent_path(); !folder.empty())
            std::filesystem::create_directories(folder);
        std::ofstream(options.record) << machine << " " << options.cpus << " "
                                      << (problems.empty() ? "pass" : "FAIL") << " " << run.tap().passed() << " "
                                      << run.tap().results() - run.tap().skipped() << " " << seconds << "\n";
    }
    return problems.empty() ? 0 : 1;
}

}  // namespace
}  // namespace tutti::tap

int main(int argc, char** argv) {
    CLI::App app{"Boots a unit-test image under QEMU and judges its TAP output.", "run-tap"};
    tutti::tap::Options options;
    app.add_option("image", options.image, "Test image")->required();
    app.add_option("--machine", options.machine, "q35 (default), pc, microvm; for aarch64 virt-gicv3 (default) or virt-gicv2; for both xen");
    app.add_option("--cpu-model", options.cpu_model, "CPU to imitate, by QEMU's name (default: all; virt-gicv2 cortex-a57)");
    app.add_option("--accel", options.accelerator, "auto, kvm or tcg");
    app.add_option("--cpus", options.cpus, "Virtual CPUs");
    app.add_option("--memory", options.memory, "Memory, for example 512M");
    app.add_option("--append", options.append, "Kernel command line, for example tests=mutex*");
    app.add_option("--timeout", options.time_limit, "Seconds for the whole run");
    app.add_option("--silence", options.silence_limit, "Seconds without a line before the guest counts as hung");
    app.add_option("--record", options.record, "Write one line with the result here");
    app.add_flag("--icount", options.count_instructions,
                 "Guest time is 1 ns for each instruction, on one CPU: runs with the same seed repeat exactly");
    app.add_flag("--native", options.native, "The image is a Linux program: no machine; of another architecture, under qemu-user");
    app.add_flag("--verbose", options.verbose, "Show everything the guest prints");
    CLI11_PARSE(app, argc, argv);
    try {
        return tutti::tap::judge(options);
    } catch (std::exception const& error) {
        std::cerr << "run-tap: " << error.what() << "\n";
        return 2;
    }
}
