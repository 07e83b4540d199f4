// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "base/types.hpp"

namespace tutti::platform {

// Until then the console is Xen's own if that is there, or the PL011 of QEMU virt, through the boot window. `pl011` null:
// there is none.
void console_use(void* pl011);

}  // namespace tutti::platform
