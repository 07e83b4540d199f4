// SPDX-License-Identifier: BSD-3-Clause
#include "arch/crash_report.hpp"

#include "arch/memory_layout.hpp"
#include "arch/traps.hpp"
#include "base/format.hpp"
#include "hal/console.hpp"
#include "hal/hooks.hpp"

namespace tutti::arch {
namespace {

ISR_SAFE char const* class_name(ExceptionClass what) {
    switch (what) {
        case ExceptionClass::Unknown: return "undefined instruction";
        case ExceptionClass::FloatingPointAccess: return "use of floating-point registers";
        case ExceptionClass::IllegalState: return "illegal execution state";
        case ExceptionClass::SystemCall: return "system call instruction";
        case ExceptionClass::SystemRegister: return "access to a system register";
        case ExceptionClass::PcAlignment: return "misaligned program counter";
        case ExceptionClass::SpAlignment: return "misaligned stack pointer";
        case ExceptionClass::BreakpointInstruction: return "breakpoint instruction";
        default: return "exception";
    }
}

ISR_SAFE std::string_view describe_page_fault(std::span<char> buffer, TrapFrame const& frame) {
    hal::FaultAccess const access = fault_access(frame);
    u64 const status = frame.esr & 0x3f;  // DFSC, IFSC
    bool const translation = status >> 2 <= 1;
    VirtAddr const address{frame.far};
    bool const user_half = frame.far < kUserEnd;
    char const* const verb = access.execute ? "execution of" : access.write ? "write to" : "read of";
    char const* const why = address.value() < kPageSize         ? "a null pointer"
                            : status == 0x21                    ? "which is not aligned"
                            : user_half && !frame.is_user()     ? "the program's memory, outside the copy functions"
                            : hal::hooks.is_stack_guard != nullptr && hal::hooks.is_stack_guard(address)
                                ? "the guard page of a kernel stack"
                            : access.present                      ? "which does not allow that"
                            : translation                       ? "where nothing is mapped"
                                                                : "which failed";
    return format_to(buffer, "page fault: {} {}, {} (syndrome {:#x})", verb, address, why, frame.esr);
}

}  // namespace

ISR_SAFE std::string_view describe_exception(std::span<char> buffer, TrapFrame const& frame) {
    switch (static_cast<TrapKind>(frame.kind)) {
        case TrapKind::StackOverflow:
            return format_to(buffer, "kernel stack overflow: the stack pointer is {}, the address {} is not mapped",
                             frame.stack_pointer(), VirtAddr{frame.far});
        case TrapKind::SystemError:
            return format_to(buffer, "system error (syndrome {:#x}) at {}", frame.esr, frame.instruction_pointer());
        case TrapKind::Interrupt:
        case TrapKind::NonMaskable:
            return format_to(buffer, "interrupt that nobody handles at {}", frame.instruction_pointer());
        case TrapKind::Synchronous: break;
    }
    if (is_page_fault(frame)) return describe_page_fault(buffer, frame);
    return format_to(buffer, "{} (syndrome {:#x}) at {}", class_name(exception_class(frame)), frame.esr,
                     frame.instruction_pointer());
}

ISR_SAFE void print_frame(TrapFrame const& f) {
    char line[256];
    auto const print = [&](std::string_view text) { hal::early_console_write(text); };
    print(format_to(line, "  pc  {:016x} sp  {:016x} pstate {:08x} {}\n", f.elr, f.sp, f.spsr,
                    f.is_user() ? "(user)" : "(kernel)"));
    for (unsigned i = 0; i < 28; i += 4)
        print(format_to(line, "  x{} {:016x} x{} {:016x} x{} {:016x} x{} {:016x}\n", i, f.x[i], i + 1, f.x[i + 1], i + 2,
                        f.x[i + 2], i + 3, f.x[i + 3]));
    print(format_to(line, "  x28 {:016x} x29 {:016x} x30 {:016x}\n", f.x[28], f.x[29], f.x[30]));
    if (!f.is_user()) print_backtrace(f.elr, f.frame_pointer());
}

}  // namespace tutti::arch
