// SPDX-License-Identifier: BSD-3-Clause
// What a crash report says about an exception. Any context, also after a stack overflow: no locks, no allocation, reads
// of memory that may not be there go through the exception table.
#pragma once

#include <span>
#include <string_view>

#include "arch/trap_frame.hpp"
#include "base/types.hpp"

namespace tutti::arch {

// One sentence on the exception in `frame`, without a full stop.
[[nodiscard]] std::string_view describe_exception(std::span<char> buffer, TrapFrame const& frame);

// On the early console: the registers, and for kernel frames a backtrace with names.
void print_frame(TrapFrame const& frame);
void print_backtrace(u64 address, u64 frame_pointer);

}  // namespace tutti::arch
