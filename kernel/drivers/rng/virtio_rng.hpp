// SPDX-License-Identifier: BSD-3-Clause
// The entropy device (Virtio 1.2, section 5.4): the host's random bytes go into the pool at start and then about once a
// minute while somebody uses random numbers.
#pragma once

#include <memory>

#include "drivers/virtio/transport.hpp"

namespace tutti::drivers {

// Takes the device over for good. Error::AlreadyInProgress: there is one already, which serves; others as the queue's.
[[nodiscard]] Result<> start_virtio_rng(std::unique_ptr<VirtioTransport> transport);

}  // namespace tutti::drivers
