// SPDX-License-Identifier: BSD-3-Clause
// Source: Xen, public/version.h.
#include "platform/xen/hypercalls.hpp"
#include "platform/xen/xen.hpp"

namespace tutti::platform::xen {

void detect() {
    constexpr u64 kVersion = 0;  // major << 16 | minor
    if (xen_version(kVersion, nullptr) >= 4 << 16) set_present();
}

}  // namespace tutti::platform::xen
