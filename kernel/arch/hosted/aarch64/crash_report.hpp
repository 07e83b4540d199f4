// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "arch/aarch64/crash_report.hpp"

namespace tutti::arch {

// The address is in the frame.
[[nodiscard]] inline std::string_view describe_exception(std::span<char> buffer, TrapFrame const& frame, VirtAddr) {
    return describe_exception(buffer, frame);
}

}  // namespace tutti::arch
