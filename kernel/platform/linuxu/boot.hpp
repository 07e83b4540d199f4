// SPDX-License-Identifier: BSD-3-Clause
// From the process's start to the kernel's.
#pragma once

#include "platform/linuxu/options.hpp"

namespace tutti::platform {

// The calling thread becomes the boot CPU and runs hal::kernel_main(). Once in a process.
[[noreturn]] void boot(Options const& options);

}  // namespace tutti::platform
