// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/signal/fault.hpp"

#include <optional>

#include "arch/traps.hpp"
#include "base/log.hpp"
#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/signal/send.hpp"

namespace tutti::linux_abi {

namespace {

SigInfo fault_info(i32 signal, i32 code, u64 address) {
    SigInfo info;
    info.signo = signal;
    info.code = code;
    info.fields.fault.address = address;
    return info;
}

// x87 and SSE exceptions: the first unmasked one, in the order of Linux's fpu__exception_code.
i32 floating_point_code(u32 status, u32 mask) {
    u32 const raised = status & ~mask;
    if ((raised & 0x01) != 0) return kFpeFltInv;
    if ((raised & 0x04) != 0) return kFpeFltDiv;
    if ((raised & 0x08) != 0) return kFpeFltOvf;
    if ((raised & 0x12) != 0) return kFpeFltUnd;  // denormal operand counts as underflow
    if ((raised & 0x20) != 0) return kFpeFltRes;
    return kSiKernel;
}

SigInfo floating_point_info(Task& task, unsigned vector, u64 rip) {
    task.fpu.save_current();
    // The FXSAVE part: control word at 0, status word at 2, MXCSR at 24 (Intel SDM vol. 1, table 10-2).
    auto const* const area = static_cast<u8 const*>(task.fpu.bytes());
    u32 control = 0, status = 0;
    if (vector == arch::kVectorX87) {
        u16 words[2];
        __builtin_memcpy(words, area, sizeof words);
        control = words[0] & 0x3f;
        status = words[1] & 0x3f;
    } else {
        u32 mxcsr = 0;
        __builtin_memcpy(&mxcsr, area + 24, sizeof mxcsr);
        control = mxcsr >> 7 & 0x3f;
        status = mxcsr & 0x3f;
    }
    return fault_info(kSIGFPE, floating_point_code(status, control), rip);
}

// Bits of a page fault's error code (Intel SDM vol. 3, figure 4-12).
constexpr u64 kFaultPresent = 1;
constexpr u64 kFaultWrite = 2;
constexpr u64 kFaultFetch = 16;

// Asks again, for another thread may have changed the mapping since: no signal when the access is possible now.
std::optional<SigInfo> page_fault_info(Task& task, arch::TrapFrame const& frame, VirtAddr address) {
    hal::FaultAccess const access{.write = (frame.error_code & kFaultWrite) != 0,
                                  .execute = (frame.error_code & kFaultFetch) != 0,
                                  .user = true,
                                  .present = (frame.error_code & kFaultPresent) != 0};
    switch (task.process().address_space().handle_fault(address, access)) {
        case vm::FaultResult::Resolved: return std::nullopt;
        case vm::FaultResult::NoMapping: return fault_info(kSIGSEGV, kSegvMapErr, address.value());
        case vm::FaultResult::AccessDenied: return fault_info(kSIGSEGV, kSegvAccErr, address.value());
        case vm::FaultResult::BusError: return fault_info(kSIGBUS, kBusAdrErr, address.value());
        case vm::FaultResult::NoMemory: break;
    }
    log_error("out of memory: the program is killed; give the machine more (--memory)");
    return kernel_info(kSIGKILL);
}

std::optional<SigInfo> exception_info(Task& task, arch::TrapFrame const& frame, unsigned vector, VirtAddr address) {
    u64 const rip = frame.rip;
    switch (vector) {
        case arch::kVectorDivide: return fault_info(kSIGFPE, kFpeIntDiv, rip);
        case arch::kVectorDebug: return fault_info(kSIGTRAP, kTrapTrace, rip);
        case arch::kVectorBreakpoint: return fault_info(kSIGTRAP, kSiKernel, 0);
        case arch::kVectorOverflow: return fault_info(kSIGSEGV, kSiKernel, 0);
        case arch::kVectorBound: return fault_info(kSIGSEGV, kSiKernel, 0);
        case arch::kVectorInvalidOpcode: return fault_info(kSIGILL, kIllIllOpn, rip);
        case arch::kVectorX87:
        case arch::kVectorSimd: return floating_point_info(task, vector, rip);
        case arch::kVectorAlignment: return fault_info(kSIGBUS, kBusAdrAln, address.value());
        case arch::kVectorStackSegment: return fault_info(kSIGBUS, kSiKernel, 0);
        case arch::kVectorPageFault: return page_fault_info(task, frame, address);
        default: return fault_info(kSIGSEGV, kSiKernel, 0);  // general protection and the rest
    }
}

}  // namespace

void handle_user_exception(arch::TrapFrame& frame, unsigned vector, VirtAddr address) {
    Task& task = current_task();
    task.fault_vector = static_cast<i32>(vector);
    task.fault_error_code = frame.error_code;
    if (vector == arch::kVectorPageFault) task.fault_address = address.value();
    if (auto const info = exception_info(task, frame, vector, address)) force_signal(task, *info);
}

}  // namespace tutti::linux_abi
