// SPDX-License-Identifier: BSD-3-Clause
// The frame a handler runs on and returns through, exactly as Linux lays it out on aarch64
// (linux/arch/arm64/include/uapi/asm/sigcontext.h), so that unwinders, debuggers and programs that read their
// ucontext work.
#pragma once

#include "arch/trap_frame.hpp"
#include "linux_abi/abi/signal.hpp"

namespace tutti::linux_abi {

class Task;

inline constexpr u64 kRestartSyscallNumber = 128;
inline constexpr u64 kMinSigStackSize = 5120;  // what sigaltstack takes
inline constexpr u64 kSignalFrameSize = 4688;

// Builds the frame of handler `action` on the program's stack (or the alternate one) and points `frame` at the
// handler. False when the stack cannot be written. `mask_to_restore` is what sigreturn puts back.
[[nodiscard]] bool push_signal_frame(Task& task, arch::TrapFrame& frame, SigInfo const& info, SigAction const& action,
                                     SignalSet mask_to_restore);

// rt_sigreturn: puts back registers, floating-point state, mask and alternate stack. False when the frame is not readable
// or would give the program registers that it may not have.
[[nodiscard]] bool pop_signal_frame(Task& task, arch::TrapFrame& frame);

// Makes the program execute the system call again that `frame` returns from, as call `number`.
void rewind_to_system_call(arch::TrapFrame& frame, u64 number);

[[nodiscard]] bool is_on_alt_stack(Task const& task, u64 stack_pointer);

}  // namespace tutti::linux_abi
