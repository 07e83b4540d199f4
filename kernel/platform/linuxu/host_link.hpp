// SPDX-License-Identifier: BSD-3-Clause
// The device under the host link: a stream socket that the process was started with.
#pragma once

namespace tutti::platform {

// The socket, or -1.
void set_host_link(int file);
void start_host_link();

}  // namespace tutti::platform
