// SPDX-License-Identifier: BSD-3-Clause
// The kernel's end of the host link: the program's output and input, result files and the exit status, as frames
// (hal/host_link.hpp) over one virtio-console port. Without such a device output goes to the early console and input
// is at its end.
//
// Frames never interleave: a sender owns the link from a frame's header to its last byte. Every CPU may call at once.
#pragma once

#include <span>
#include <string_view>

#include "base/result.hpp"
#include "base/types.hpp"
#include "hal/host_link.hpp"

namespace tutti::sched {
class WaitQueue;
}
namespace tutti::vm {
class IoBuffer;
}

namespace tutti::drivers {

enum class OutputStream : u8 { Stdout, Stderr };

// What a call does when the link has no room or no input: give up at once (Error::WouldBlock), or wait, ended by
// Thread::interrupt() (Error::Interrupted).
enum class LinkWait : u8 { NoWait, Interruptible };

struct WindowSize {
    u16 rows = 24;
    u16 columns = 80;
};

// All functions: Thread context; may block where they say so.
namespace host_link {

// True when a host listens: the device is there and its driver started.
[[nodiscard]] bool attached();

// Program output. Blocks while the host does not read. Returns the bytes taken off `from`: fewer than it has when the
// wait was interrupted, or would have been needed, after some were taken, or at a bad address. Errors: WouldBlock,
// Interrupted, BadAddress; IoError when the device broke its protocol. May fault `from` in.
[[nodiscard]] Result<u64> write_output(OutputStream stream, vm::IoBuffer& from, LinkWait wait);
// True when write_output would take at least one byte now.
[[nodiscard]] bool output_ready();
// Woken when output_ready() may have become true.
[[nodiscard]] sched::WaitQueue& output_queue();

// Program input. Returns the bytes put into `to`, 0 at the end of input. Errors: WouldBlock, Interrupted, BadAddress.
// May fault `to` in. What the host sent before it broke the protocol is still read; then input is at its end.
[[nodiscard]] Result<u64> read_input(vm::IoBuffer& to, LinkWait wait);
// True when read_input would return without waiting, end of input included.
[[nodiscard]] bool input_ready();
// Bytes that read_input would return at once.
[[nodiscard]] size_t input_available();
// Woken when input arrives and at its end.
[[nodiscard]] sched::WaitQueue& input_queue();
// Lets the host send; until then it has no credit. Called once, when the program's input is the link.
[[nodiscard]] Result<> open_input();

[[nodiscard]] WindowSize window_size();

// Called in Thread context, on a thread of the link's own; may block. Set once, at boot. Error::NoMemory.
struct Events {
    void (*signal)(u32 number) = nullptr;  // the host forwards signal 1..64 to the program
    void (*window_changed)() = nullptr;    // window_size() has a new value
};
[[nodiscard]] Result<> set_events(Events const& events);

// Result files, one at a time: begin, any number of data pieces that add up to `size`, end. The caller serialises.
[[nodiscard]] Result<> file_begin(std::string_view guest_path, u32 mode, u64 size);
[[nodiscard]] Result<> file_data(std::span<u8 const> bytes);
[[nodiscard]] Result<> file_end();

// Just before the first user instruction.
[[nodiscard]] Result<> send_ready(Nanoseconds since_boot);
// One JSON object, see FrameType::Summary.
[[nodiscard]] Result<> send_summary(std::string_view json);
// Text that the command prints on the host's standard error, "tutti: TEXT". Without a host: on the early console.
void send_note(std::string_view text);

// The last frame; then waits until the device has taken every byte, at most a few seconds. Nothing may be sent later.
void send_exit(u32 exit_code, u32 signal);

}  // namespace host_link
}  // namespace tutti::drivers
