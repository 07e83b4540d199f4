// SPDX-License-Identifier: BSD-3-Clause
#include "guest_session.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <utility>

#include "cli_error.hpp"
#include "hal/link_line.hpp"
#include "xen_console.hpp"

namespace tutti::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxQueuedOutput = 4 << 20;  // then the guest has to wait for the reader of our output
constexpr auto kPowerOffGrace = 5s;                // between the Exit frame and the machine's own end
constexpr auto kPatience = 60s;                    // with a guest that may never begin
constexpr unsigned kAttempts = 3;
constexpr int kForcefulSignals = 3;                // a program that ignores this many is ended
constexpr unsigned char kCrashCode = 0x31;         // what the kernel gives debug_exit() when it panics

template <class Payload>
std::optional<Payload> read_payload(std::span<const std::uint8_t> bytes) {
    if (bytes.size() != sizeof(Payload)) return std::nullopt;
    Payload payload;
    std::memcpy(&payload, bytes.data(), sizeof payload);
    return payload;
}

std::pair<UniqueFd, UniqueFd> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw CliError(std::string("Cannot make a pipe: ") + std::strerror(errno) + ".");
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace

GuestSession::GuestSession(SessionOptions const& options, OutputFiles& outputs)
    : options_(options),
      outputs_(outputs),
      log_(options.verbose ? STDERR_FILENO : -1),
      stdout_(STDOUT_FILENO),
      stderr_(STDERR_FILENO),
      signals_(options.debugger) {}

GuestSession::~GuestSession() = default;

void GuestSession::start(Platform const& platform, MachineConfig& config) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        throw CliError(std::string("Cannot make the host link: ") + std::strerror(errno) + ".");
    }
    link_.emplace(UniqueFd(ends[0]), static_cast<LinkEvents&>(*this));
    UniqueFd const guest_end(ends[1]);
    auto [log_reader, log_writer] = make_pipe();
    auto [error_reader, error_writer] = make_pipe();
    log_pipe_ = std::move(log_reader);
    error_pipe_ = std::move(error_reader);
    input_.emplace(options_.pass_input ? STDIN_FILENO : -1, *link_);

    traits_ = platform.traits(config.architecture);
    config.link_fd = guest_end.get();
    launch_ = platform.launch(config);
    console_line_.clear();
    ++attempts_;
    ChildOptions child{.arguments = launch_.arguments,
                       .inherited = {config.link_fd},
                       .output = log_writer.get(),
                       .error = error_writer.get()};
    if (config.initrd_fd >= 0) child.inherited.push_back(config.initrd_fd);
    for (UniqueFd const& file : launch_.files) child.inherited.push_back(file.get());
    attempt_started_ = Clock::now();
    machine_.emplace(child, launch_.install_advice);
    if (options_.terminal) send_window_size();
    if (on_started_) companion_ = on_started_();
}

SessionResult GuestSession::run(Platform const& platform, MachineConfig config) {
    started_ = Clock::now();
    start(platform, config);
    while (!machine_->wait(false)) {
        step();
        check_time();
        if (forced_status_ || !never_began()) continue;
        if (attempts_ == kAttempts) {
            stop(kTuttiFailed);
        } else {
            machine_->kill();
            machine_->wait(true);
            start(platform, config);
        }
    }
    result_.seconds = std::chrono::duration<double>(Clock::now() - started_).count();
    drain();
    judge(*machine_->wait(true), platform.exit_status(config.architecture, kCrashCode));
    return result_;
}

bool GuestSession::may_read_link() const {
    return link_->state() == Link::State::Open && stdout_.size() < kMaxQueuedOutput && stderr_.size() < kMaxQueuedOutput;
}

int GuestSession::poll_timeout() const {
    std::optional<Clock::time_point> wake;
    if (options_.time_limit) wake = started_ + std::chrono::duration_cast<Clock::duration>(*options_.time_limit);
    if (traits_.may_not_start && !has_begun_) wake = std::min(wake.value_or(Clock::time_point::max()), attempt_started_ + kPatience);
    if (exit_seen_) wake = std::min(wake.value_or(Clock::time_point::max()), *exit_seen_ + kPowerOffGrace);
    if (!wake) return -1;
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(*wake - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void GuestSession::step() {
    enum { kSignals, kMachine, kLog, kErrors, kLink, kInput, kStdout, kStderr, kCompanion, kCount };
    std::array<pollfd, kCount> polled{};
    auto const watch = [&](int index, int fd, short events) { polled[index] = {.fd = events != 0 ? fd : -1, .events = events, .revents = 0}; };
    watch(kSignals, signals_.fd(), POLLIN);
    watch(kMachine, machine_->pid_fd(), POLLIN);
    watch(kLog, log_pipe_.get(), POLLIN);
    watch(kErrors, error_pipe_.get(), POLLIN);
    short link_events = 0;
    if (may_read_link()) link_events |= POLLIN;
    if (link_->state() == Link::State::Open && link_->wants_to_write()) link_events |= POLLOUT;
    watch(kLink, link_->fd(), link_events);
    // Input waits while earlier input has not left for the guest.
    watch(kInput, link_->unsent() < hal::kMaxFramePayload ? input_->fd_to_poll() : -1, POLLIN);
    watch(kStdout, STDOUT_FILENO, stdout_.empty() ? 0 : POLLOUT);
    watch(kStderr, STDERR_FILENO, stderr_.empty() ? 0 : POLLOUT);

    watch(kCompanion, companion_ ? companion_->pid_fd() : -1, POLLIN);

    if (::poll(polled.data(), polled.size(), poll_timeout()) < 0) return;  // EINTR: a stop and continue
    auto const ready = [&](int index) { return polled[index].revents != 0; };
    if (ready(kSignals)) handle_signals();
    if (ready(kLog)) read_text(log_pipe_, true);
    if (ready(kErrors)) read_text(error_pipe_, false);
    if ((polled[kLink].revents & POLLOUT) != 0) link_->write_some();
    if ((polled[kLink].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && may_read_link()) link_->read_some();
    if (ready(kInput)) input_->read_some();
    if (ready(kStdout)) stdout_.flush_some();
    if (ready(kStderr)) stderr_.flush_some();
    if (ready(kCompanion) && companion_->wait(false)) stop(0);
    // Nobody reads our output any more: end as a program that gets SIGPIPE does.
    if (stdout_.state() == ByteQueue::State::Closed) stop(kSignalBase + SIGPIPE);
    if (link_->state() == Link::State::Broken) stop(kTuttiFailed);
}

void GuestSession::read_text(UniqueFd& fd, bool is_log) {
    std::array<char, 16384> buffer;
    ssize_t const count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) return;
    if (count <= 0) {
        fd.reset();
        return;
    }
    std::string_view const text(buffer.data(), static_cast<std::size_t>(count));
    if (is_log && traits_.link_on_console) {
        take_console(text);
    } else if (is_log) {
        log_.append(text);
    } else {
        machine_errors_.append(text);
    }
}

void GuestSession::take_console(std::string_view text) {
    for (char const c : text) {
        if (c == '\n') {
            take_console_line();
        } else if (c != '\r') {
            console_line_.push_back(c);
        }
    }
}

void GuestSession::take_console_line() {
    auto const guest = guest_line(console_line_);
    has_begun_ = has_begun_ || guest;
    std::array<std::uint8_t, hal::kLinkLineBytes> bytes;
    if (auto const count = hal::decode_link_line(guest.value_or(""), bytes)) {
        link_->receive(std::span(bytes).first(*count));
    } else {
        log_.append(console_line_ + "\n");
    }
    console_line_.clear();
}

bool GuestSession::never_began() const {
    return traits_.may_not_start && !has_begun_ && Clock::now() - attempt_started_ >= kPatience;
}

void GuestSession::drain() {
    while (log_pipe_.valid()) read_text(log_pipe_, true);
    while (error_pipe_.valid()) read_text(error_pipe_, false);
    while (link_->state() == Link::State::Open) {
        link_->read_some();
        flush_output();
    }
    flush_output();
}

// Waits for slow readers of our output, but not against a signal.
void GuestSession::flush_output() {
    while (!stdout_.empty() || !stderr_.empty()) {
        std::array<pollfd, 3> polled{{{.fd = signals_.fd(), .events = POLLIN, .revents = 0},
                                      {.fd = stdout_.empty() ? -1 : STDOUT_FILENO, .events = POLLOUT, .revents = 0},
                                      {.fd = stderr_.empty() ? -1 : STDERR_FILENO, .events = POLLOUT, .revents = 0}}};
        if (::poll(polled.data(), polled.size(), -1) < 0) continue;
        if (polled[1].revents != 0) stdout_.flush_some();
        if (polled[2].revents != 0) stderr_.flush_some();
        while (auto const number = signals_.next()) {
            if (*number == SIGWINCH || *number == SIGUSR1 || *number == SIGUSR2) continue;
            forced_status_ = kSignalBase + *number;
            exit_status_.reset();
            stdout_.discard();
            stderr_.discard();
        }
    }
}

void GuestSession::stream_data(hal::FrameType type, std::span<const std::uint8_t> bytes) {
    std::string_view const text(reinterpret_cast<char const*>(bytes.data()), bytes.size());
    switch (type) {
        case hal::FrameType::Stdout: stdout_.push(text); break;
        case hal::FrameType::Stderr: stderr_.push(text); break;
        case hal::FrameType::Log: log_.append(text); break;
        default:
            if (!output_error_.empty()) break;
            try {
                outputs_.data(bytes);
            } catch (CliError const& error) {
                output_error_ = error.what();
            }
    }
}

void GuestSession::control_frame(hal::FrameType type, std::span<const std::uint8_t> payload) {
    using enum hal::FrameType;
    switch (type) {
        case Exit:
            if (auto const exit = read_payload<hal::ExitPayload>(payload)) {
                exit_status_ = exit->signal != 0 ? kSignalBase + static_cast<int>(exit->signal & 0x7f)
                                                 : static_cast<int>(exit->exit_code & 0xff);
                exit_seen_ = Clock::now();
            }
            break;
        case Ready:
            if (auto const ready = read_payload<hal::ReadyPayload>(payload)) {
                result_.seconds_to_ready = std::chrono::duration<double>(Clock::now() - started_).count();
                result_.guest_ready_ns = ready->since_boot_ns;
            }
            break;
        case StdinCredit:
            if (auto const credit = read_payload<hal::CreditPayload>(payload)) input_->add_credit(credit->bytes);
            break;
        case Summary: result_.summary.assign(payload.begin(), payload.end()); break;
        case Note: stderr_.push("tutti: " + std::string(payload.begin(), payload.end()) + "\n"); break;
        case FileBegin:
        case FileEnd:
            if (!output_error_.empty()) break;
            try {
                type == FileBegin ? outputs_.begin(payload) : outputs_.end();
            } catch (CliError const& error) {
                output_error_ = error.what();
            }
            break;
        default: break;
    }
}

void GuestSession::handle_signals() {
    while (auto const number = signals_.next()) {
        if (*number == SIGWINCH) {
            if (options_.terminal) send_window_size();
            continue;
        }
        bool const fatal = *number == SIGINT || *number == SIGTERM || *number == SIGHUP || *number == SIGQUIT;
        bool const program_runs = result_.seconds_to_ready >= 0;
        if (fatal && (!program_runs || traits_.link_on_console || ++signals_sent_ >= kForcefulSignals)) {
            stop(kSignalBase + *number);
        } else if (program_runs) {
            link_->send_struct(hal::FrameType::Signal, hal::SignalPayload{static_cast<std::uint32_t>(*number)});
        }
    }
}

void GuestSession::send_window_size() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return;
    link_->send_struct(hal::FrameType::WindowSize, hal::WindowSizePayload{size.ws_row, size.ws_col});
}

void GuestSession::check_time() {
    auto const now = Clock::now();
    if (options_.time_limit && now - started_ >= *options_.time_limit) stop(kTimedOut);
    // The program has ended and said so; a machine that does not power off must not hold the result back.
    if (exit_seen_ && (traits_.outlives_guest || now - *exit_seen_ >= kPowerOffGrace)) machine_->kill();
}

void GuestSession::stop(int status) {
    if (!forced_status_) forced_status_ = status;
    machine_->kill();
}

void GuestSession::report_log(std::string const& heading, std::size_t lines) const {
    std::cerr << "tutti: " << heading << "\n";
    if (!machine_errors_.empty()) std::cerr << "tutti: " << launch_.arguments.front() << " said:\n" << machine_errors_;
    if (log_.is_live()) return;
    if (log_.empty()) {
        std::cerr << "tutti: The kernel log is empty.\n";
    } else {
        std::cerr << "tutti: The end of the kernel log (all of it live with --verbose):\n" << log_.tail(lines);
    }
}

void GuestSession::judge(int wait_status, int crash_status) {
    constexpr std::size_t kCrashLines = 200;
    constexpr std::size_t kTailLines = 40;
    if (exit_status_) {
        result_.status = *exit_status_;
        if (!output_error_.empty()) throw CliError(output_error_);
        return;
    }
    if (forced_status_) {
        result_.status = *forced_status_;
        if (*forced_status_ == kTimedOut) {
            report_log("The time limit is over and the program has not ended; stopped it.", kTailLines);
        } else if (link_->state() == Link::State::Broken) {
            report_log("The guest broke the host link's protocol; stopped it. This is a fault of Tutti.", kTailLines);
        }
        return;
    }
    result_.status = kTuttiFailed;
    if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == crash_status) {
        report_log("The guest kernel crashed. This is a fault of Tutti, not of the program.", kCrashLines);
    } else if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 1 && log_.empty()) {
        report_log(launch_.arguments.front() + " could not start the machine.", kTailLines);
    } else if (WIFSIGNALED(wait_status)) {
        report_log(launch_.arguments.front() + " was ended by signal " + std::to_string(WTERMSIG(wait_status)) + ".", kCrashLines);
    } else {
        report_log("The machine stopped before the program had ended.", kCrashLines);
    }
}

}  // namespace tutti::cli
