// SPDX-License-Identifier: BSD-3-Clause
// Puts the host link on a port.
#pragma once

#include "base/result.hpp"
#include "drivers/console/byte_port.hpp"

namespace tutti::drivers {

// The port stays for ever. Error::AlreadyInProgress: there is a link; NoMemory. Thread context, at boot.
[[nodiscard]] Result<> start_link(BytePort& port);

}  // namespace tutti::drivers
