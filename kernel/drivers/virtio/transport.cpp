// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/virtio/transport.hpp"

#include "base/log.hpp"
#include "hal/clock.hpp"

namespace tutti::drivers {

Result<u64> VirtioTransport::negotiate(u64 required, u64 wanted) {
    set_status(0);
    // The device may take its time (section 4.1.4.3.2), but not for ever.
    Deadline const deadline = hal::now() + Nanoseconds::from_ms(500);
    while (status() != 0)
        if (hal::now() > deadline) {
            log_error("virtio {}: does not reset", name());
            return fail(Error::TimedOut);
        }
    set_status(kVirtioAcknowledge);
    set_status(kVirtioAcknowledge | kVirtioDriver);
    required |= kVirtioVersion1;
    u64 const offered = offered_features();
    if ((offered & required) != required) {
        log_error("virtio {}: lacks features {:#x}", name(), required & ~offered);
        give_up();
        return fail(Error::NotSupported);
    }
    u64 const accepted = offered & (required | wanted);
    set_accepted_features(accepted);
    set_status(kVirtioAcknowledge | kVirtioDriver | kVirtioFeaturesOk);
    if ((status() & kVirtioFeaturesOk) == 0) {
        log_error("virtio {}: refuses features {:#x} of {:#x}", name(), accepted, offered);
        give_up();
        return fail(Error::NotSupported);
    }
    return accepted;
}

}  // namespace tutti::drivers
