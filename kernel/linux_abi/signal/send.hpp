// SPDX-License-Identifier: BSD-3-Clause
// Sending signals: to a thread, to the process, and to the current thread for its own fault.
#pragma once

#include "base/result.hpp"
#include "linux_abi/abi/signal.hpp"

namespace tutti::linux_abi {

class Process;
class Task;
struct QueuedSignal;

// Queues `info` for the process; some thread that does not block the signal takes it. Thread context, may allocate.
// Error::WouldBlock when a real-time signal with information cannot be queued.
Result<> send_to_process(Process& process, SigInfo const& info);
// The same for one thread.
Result<> send_to_task(Task& task, SigInfo const& info);

// A timer expired, and `missed` times more since it last said so: queues its own entry for the process, or for the
// thread `tid` when that is not 0. While the entry is still queued only its overrun count grows. Any context up to Isr.
void send_timer_signal(Process& process, i32 tid, QueuedSignal& entry, i32 missed);

// For a fault of the current thread: delivered even when it is blocked or ignored (then with the default action, which
// ends the process).
void force_signal(Task& task, SigInfo const& info);

// A SigInfo as kill(2) and tgkill(2) make them.
[[nodiscard]] SigInfo sender_info(Task const& sender, i32 signal, i32 code);
// A signal from the kernel itself (SIGPIPE, SIGXFSZ, console signals).
[[nodiscard]] SigInfo kernel_info(i32 signal);

// Error::BrokenPipe from a write also sends SIGPIPE to the writing thread.
void send_broken_pipe(Task& task);

// True when `task` has a signal to take now. The bare form reads the sets without the lock: a hint for fast paths.
[[nodiscard]] bool has_deliverable_signal(Task& task);

// Sets the blocked mask of the current task and makes sure that signals it uncovers are taken.
void set_blocked_mask(Task& task, SignalSet mask);

// The current task does not wait for signals any more: those that it leaves pending find other threads.
void stop_waiting(Task& task);

}  // namespace tutti::linux_abi
