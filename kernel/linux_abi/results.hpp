// SPDX-License-Identifier: BSD-3-Clause
// What goes back to the host when the program has ended: files and directories it was asked for.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace tutti::linux_abi {

// Sends the file, or the directory with all that is below it, at absolute `path` over the host link. A path that does not
// exist is not sent; the host notices. Symbolic links are sent as such; devices and sockets are left out. Thread context.
[[nodiscard]] Result<> send_result(std::string_view path);

}  // namespace tutti::linux_abi
