// SPDX-License-Identifier: BSD-3-Clause
// What a frame says of the exception that it was made by.
#pragma once

#include "arch/trap_frame.hpp"
#include "base/types.hpp"
#include "hal/hooks.hpp"

namespace tutti::arch {

// How the kernel was entered: the vector within its group of four, and the entry code's own finding.
enum class TrapKind : u64 { Synchronous, Interrupt, NonMaskable, SystemError, StackOverflow };

// Exception classes: ESR_EL1.EC (Arm ARM, D17.2.37).
enum class ExceptionClass : u32 {
    Unknown = 0x00,
    FloatingPointAccess = 0x07,
    IllegalState = 0x0e,
    SystemCall = 0x15,
    SystemRegister = 0x18,
    InstructionAbortUser = 0x20,
    InstructionAbort = 0x21,
    PcAlignment = 0x22,
    DataAbortUser = 0x24,
    DataAbort = 0x25,
    SpAlignment = 0x26,
    FloatingPointException = 0x2c,
    SystemError = 0x2f,
    BreakpointInstruction = 0x3c,
};
[[nodiscard]] constexpr ExceptionClass exception_class(TrapFrame const& frame) {
    return ExceptionClass{static_cast<u32>(frame.esr >> 26 & 0x3f)};
}
// Instruction and data aborts.
[[nodiscard]] constexpr bool is_page_fault(TrapFrame const& frame) {
    if (frame.kind != static_cast<u64>(TrapKind::Synchronous)) return false;
    switch (exception_class(frame)) {
        case ExceptionClass::InstructionAbortUser:
        case ExceptionClass::InstructionAbort:
        case ExceptionClass::DataAbortUser:
        case ExceptionClass::DataAbort: return true;
        default: return false;
    }
}

// Where a page fault happened. The MMU ignores the top byte of a program's address, which may hold a tag.
[[nodiscard]] constexpr u64 fault_address(TrapFrame const& frame) {
    constexpr u64 kKernelHalf = u64{1} << 55;
    return (frame.far & kKernelHalf) != 0 ? frame.far : frame.far & 0x00ff'ffff'ffff'ffff;
}

// What a page fault wanted (Arm ARM, D17.2.37: ISS of aborts).
[[nodiscard]] constexpr hal::FaultAccess fault_access(TrapFrame const& frame) {
    constexpr u64 kWrite = 1 << 6;             // WnR, data aborts
    constexpr u64 kCacheMaintenance = 1 << 8;  // CM: WnR says nothing then
    ExceptionClass const what = exception_class(frame);
    bool const execute = what == ExceptionClass::InstructionAbort || what == ExceptionClass::InstructionAbortUser;
    return {.write = !execute && (frame.esr & (kWrite | kCacheMaintenance)) == kWrite,
            .execute = execute,
            .user = frame.is_user(),
            .present = (frame.esr & 0x3f) >> 2 == 3};  // permission fault
}

}  // namespace tutti::arch
