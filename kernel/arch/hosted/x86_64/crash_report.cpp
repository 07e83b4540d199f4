// SPDX-License-Identifier: BSD-3-Clause
#include "arch/crash_report.hpp"

#include "arch/memory_layout.hpp"
#include "arch/traps.hpp"
#include "base/format.hpp"
#include "hal/hooks.hpp"

namespace tutti::arch {

std::string_view describe_exception(std::span<char> buffer, TrapFrame const& frame, VirtAddr address) {
    if (frame.vector != kVectorPageFault)
        return format_to(buffer, "{} (vector {}, error {:#x}) at {}", exception_name(static_cast<unsigned>(frame.vector)),
                         frame.vector, frame.error_code, VirtAddr{frame.rip});
    // At the guard page of a thread's stack, or of the host thread's, on which the first context of each CPU runs.
    bool const near_stack = address.value() <= frame.rsp + kPageSize && address.value() + kPageSize >= frame.rsp;
    if (near_stack || (hal::hooks.is_stack_guard != nullptr && hal::hooks.is_stack_guard(address)))
        return format_to(buffer, "kernel stack overflow: the stack pointer is {}, the address {} is not mapped",
                         VirtAddr{frame.rsp}, address);
    bool const present = (frame.error_code & 1) != 0;
    char const* const what = (frame.error_code & 16) != 0  ? "execution of"
                             : (frame.error_code & 2) != 0 ? "write to"
                                                           : "read of";
    char const* const why = address.value() < kPageSize ? "a null pointer"
                            : address.value() < kUserEnd ? "the program's memory, outside the copy functions"
                            : present                    ? "which does not allow that"
                                                         : "where nothing is mapped";
    return format_to(buffer, "page fault: {} {}, {} (error {:#x})", what, address, why, frame.error_code);
}

}  // namespace tutti::arch
