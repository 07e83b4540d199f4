// SPDX-License-Identifier: BSD-3-Clause
// There are no buses: devices are what the process was started with.
#include "drivers/devices.hpp"

#include "platform/linuxu/disk.hpp"
#include "platform/linuxu/host_link.hpp"
#include "platform/linuxu/tap.hpp"

void tutti::drivers::initialize_devices() {
    platform::start_host_link();
    platform::start_tap();
    platform::start_disks();
}
