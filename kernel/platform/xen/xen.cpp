// SPDX-License-Identifier: BSD-3-Clause
// Source: Xen, public/xen.h (console), public/sched.h.
#include "platform/xen/xen.hpp"

#include "platform/xen/hypercalls.hpp"

namespace tutti::platform::xen {
namespace {

constinit bool is_present = false;
constexpr u64 kConsoleWrite = 0;
constexpr u64 kSchedShutdown = 2;

}  // namespace

void set_present() { is_present = true; }
ISR_SAFE bool present() { return is_present; }

ISR_SAFE void console_write(std::string_view text) {
    (void)xen_console_io(kConsoleWrite, text.size(), const_cast<char*>(text.data()));
}

ISR_SAFE void shutdown(Shutdown reason) {
    struct {
        u32 reason;
    } argument{static_cast<u32>(reason)};
    (void)xen_sched_op(kSchedShutdown, &argument);
}

}  // namespace tutti::platform::xen
