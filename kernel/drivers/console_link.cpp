// SPDX-License-Identifier: BSD-3-Clause
// Apart from devices.cpp: a platform without buses has its own of that.
#include <memory>
#include <new>

#include "drivers/console/line_port.hpp"
#include "drivers/devices.hpp"
#include "drivers/link/start_link.hpp"

namespace tutti::drivers {

Result<> start_link_on_console() {
    std::unique_ptr<LinePort> port{new (std::nothrow) LinePort};
    if (port == nullptr) return fail(Error::NoMemory);
    TRY(start_link(*port));
    (void)port.release();  // the link's from now on, for ever
    return {};
}

}  // namespace tutti::drivers
