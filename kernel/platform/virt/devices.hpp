// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "platform/virt/tree_devices.hpp"

namespace tutti::platform {

// Keeps what hal's lists of devices show. While the blob is there.
void find_devices(std::span<u8 const> blob, DeviceTree const& tree);
[[nodiscard]] TreeDevices const& tree_devices();
// What the translation service calls a function; nothing when its messages do not go there.
[[nodiscard]] std::optional<u32> message_device(hal::MessageSource source);

}  // namespace tutti::platform
