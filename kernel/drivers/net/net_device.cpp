// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/net/net_device.hpp"

namespace tutti::drivers {

namespace {
constinit DeviceList<NetDevice> devices;
}
DeviceList<NetDevice>& net_devices() { return devices; }

}  // namespace tutti::drivers
