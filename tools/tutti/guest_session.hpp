// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// One run of a guest, from the start of its machine to the end: an event loop between the guest's link and kernel
// log, this command's standard streams, its signals, and the clock.
//
//   stdin ----> InputPump --\                /--> stdout, stderr
//                            Link <=> guest -+--> OutputFiles
//   signals --> SignalRelay-/                \--> KernelLog (what the machine prints)

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "byte_queue.hpp"
#include "child_process.hpp"
#include "input_pump.hpp"
#include "kernel_log.hpp"
#include "link.hpp"
#include "machine.hpp"
#include "output_files.hpp"
#include "platform.hpp"
#include "signal_relay.hpp"

namespace tutti::cli {

struct SessionOptions {
    bool verbose = false;                          // kernel log live on stderr
    bool pass_input = true;                        // stdin goes to the guest
    bool terminal = false;                         // tell the guest the terminal's size
    bool debugger = false;                         // a debugger has the terminal: leave it Ctrl-C
    std::optional<std::chrono::duration<double>> time_limit;
};

// What a run came to.
struct SessionResult {
    int status = 0;                     // the exit status of `tutti`
    std::string summary;                // the guest's JSON, or empty
    double seconds_to_ready = -1;       // from starting the machine to the first user instruction; -1: never came
    std::uint64_t guest_ready_ns = 0;   // the same on the guest's clock
    double seconds = 0;                 // from starting the machine to its end
};

class GuestSession final : private LinkEvents {
  public:
    GuestSession(SessionOptions const& options, OutputFiles& outputs);
    ~GuestSession() override;

    // Called once the machine has been started; the process it returns (a debugger) ends the session when it ends.
    void on_started(std::function<std::unique_ptr<ChildProcess>()> hook) { on_started_ = std::move(hook); }

    // Starts the machine (link_fd is filled in) and stays until it has ended. Throws CliError when the host cannot
    // do its part; a failing guest is a status, with a report on stderr.
    SessionResult run(Platform const& platform, MachineConfig config);

  private:
    using Clock = std::chrono::steady_clock;

    void stream_data(hal::FrameType type, std::span<const std::uint8_t> bytes) override;
    void control_frame(hal::FrameType type, std::span<const std::uint8_t> payload) override;

    void start(Platform const& platform, MachineConfig& config);
    void step();                  // one round of poll(2)
    void read_text(UniqueFd& fd, bool is_log);
    void take_console(std::string_view text);  // kernel log and host link in one
    void take_console_line();
    [[nodiscard]] bool never_began() const;
    void drain();                 // after the machine's end: what is left in the pipes
    void flush_output();
    void handle_signals();
    void send_window_size();
    void check_time();
    void stop(int status);        // end the guest by force; the first status counts
    [[nodiscard]] int poll_timeout() const;
    [[nodiscard]] bool may_read_link() const;
    void judge(int wait_status, int crash_status);
    void report_log(std::string const& heading, std::size_t lines) const;

    SessionOptions options_;
    OutputFiles& outputs_;
    KernelLog log_;
    ByteQueue stdout_;
    ByteQueue stderr_;
    SignalRelay signals_;
    std::optional<Link> link_;
    std::optional<InputPump> input_;
    Launch launch_;
    std::optional<ChildProcess> machine_;
    std::function<std::unique_ptr<ChildProcess>()> on_started_;
    std::unique_ptr<ChildProcess> companion_;
    UniqueFd log_pipe_;
    UniqueFd error_pipe_;
    std::string machine_errors_;
    GuestTraits traits_;
    std::string console_line_;  // the unfinished one
    bool has_begun_ = false;    // the guest has said something
    unsigned attempts_ = 0;

    Clock::time_point started_;
    Clock::time_point attempt_started_;  // of the machine: one that never began is started again
    std::optional<Clock::time_point> exit_seen_;  // when the guest said Exit
    std::optional<int> exit_status_;              // the program's
    std::optional<int> forced_status_;            // set by stop()
    std::string output_error_;                    // the host could not store a result file
    int signals_sent_ = 0;
    SessionResult result_;
};

}  // namespace tutti::cli
