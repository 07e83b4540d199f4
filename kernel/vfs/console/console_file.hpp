// SPDX-License-Identifier: BSD-3-Clause
// The program's standard input and output over the host link, as a terminal or as plain streams.
#pragma once

#include "vfs/file.hpp"

namespace tutti::vfs {

enum class ConsoleStream : u8 {
    Input,    // standard input
    Output,   // standard output
    Error,    // standard error
    Terminal, // /dev/tty, /dev/console: both ways
};

// Whether the streams are a terminal (isatty), and whether input comes from the host. Once, before the program starts.
void configure_console(bool is_terminal, bool has_input);
[[nodiscard]] bool console_is_terminal();

// Error::NoMemory; NoDeviceAddress for the terminal when there is none.
Result<Ref<File>> open_console(ConsoleStream stream, OpenFlags flags);

}  // namespace tutti::vfs
