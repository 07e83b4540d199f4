// SPDX-License-Identifier: BSD-3-Clause
// The terminal ioctls (ioctl_tty(2)) for a console whose line editing is done by the host's terminal.
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti::vfs {

// Error::NotTerminal for a command that is none of them. Thread context; may fault.
Result<i64> terminal_control(u32 command, u64 argument);

// FIONREAD: how many bytes can be read now; the same number for every kind of stream.
inline constexpr u32 kBytesReadable = 0x541b;
// Stores an int at a user address.
Result<i64> answer_int(u64 address, i32 value);

}  // namespace tutti::vfs
