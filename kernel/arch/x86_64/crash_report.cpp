// SPDX-License-Identifier: BSD-3-Clause
#include "arch/crash_report.hpp"

#include "arch/traps.hpp"
#include "base/format.hpp"
#include "hal/hooks.hpp"

namespace tutti::arch {
namespace {

// A double fault whose first fault was the stack's: at a guard page, or (before those are known) right at the stack
// pointer.
ISR_SAFE bool is_stack_overflow(TrapFrame const& frame, VirtAddr address) {
    if (frame.vector != kVectorDoubleFault) return false;
    if (hal::hooks.is_stack_guard != nullptr && hal::hooks.is_stack_guard(address)) return true;
    return address.value() <= frame.rsp + kPageSize && address.value() + kPageSize >= frame.rsp;
}

ISR_SAFE std::string_view describe_page_fault(std::span<char> buffer, TrapFrame const& frame, VirtAddr address) {
    bool const present = (frame.error_code & 1) != 0;
    bool const write = (frame.error_code & 2) != 0;
    bool const reserved = (frame.error_code & 8) != 0;
    bool const execute = (frame.error_code & 16) != 0;
    bool const user_half = address.value() >> 47 == 0;
    char const* const what = execute ? "execution of" : write ? "write to" : "read of";
    char const* const why = reserved                             ? "whose page-table entry is malformed"
                            : address.value() < kPageSize         ? "a null pointer"
                            : user_half && !frame.is_user()       ? "the program's memory, outside the copy functions"
                            : hal::hooks.is_stack_guard != nullptr && hal::hooks.is_stack_guard(address)
                                ? "the guard page of a kernel stack"
                            : present                             ? "which does not allow that"
                                                                  : "where nothing is mapped";
    return format_to(buffer, "page fault: {} {}, {} (error {:#x})", what, address, why, frame.error_code);
}

}  // namespace

ISR_SAFE std::string_view describe_exception(std::span<char> buffer, TrapFrame const& frame, VirtAddr address) {
    if (is_stack_overflow(frame, address))
        return format_to(buffer, "kernel stack overflow: the stack pointer is {}, the address {} is not mapped",
                         VirtAddr{frame.rsp}, address);
    if (frame.vector == kVectorPageFault) return describe_page_fault(buffer, frame, address);
    return format_to(buffer, "{} (vector {}, error {:#x}) at {}", exception_name(static_cast<unsigned>(frame.vector)),
                     frame.vector, frame.error_code, VirtAddr{frame.rip});
}

}  // namespace tutti::arch
