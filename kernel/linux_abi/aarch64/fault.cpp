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

// Arm ARM, D17.2.37, ISS of trapped floating-point exceptions. Linux's order.
i32 floating_point_code(u64 syndrome) {
    constexpr u64 kValid = 1 << 23;
    if ((syndrome & kValid) == 0) return kSiKernel;
    if ((syndrome & 0x01) != 0) return kFpeFltInv;
    if ((syndrome & 0x02) != 0) return kFpeFltDiv;
    if ((syndrome & 0x04) != 0) return kFpeFltOvf;
    if ((syndrome & 0x08) != 0) return kFpeFltUnd;
    if ((syndrome & 0x10) != 0) return kFpeFltRes;
    return kSiKernel;
}

// Asks again, for another thread may have changed the mapping since: no signal when the access is possible now.
std::optional<SigInfo> mapping_info(Task& task, arch::TrapFrame const& frame, VirtAddr address) {
    switch (task.process().address_space().handle_fault(address, arch::fault_access(frame))) {
        case vm::FaultResult::Resolved: return std::nullopt;
        case vm::FaultResult::NoMapping: return fault_info(kSIGSEGV, kSegvMapErr, address.value());
        case vm::FaultResult::AccessDenied: return fault_info(kSIGSEGV, kSegvAccErr, address.value());
        case vm::FaultResult::BusError: return fault_info(kSIGBUS, kBusAdrErr, address.value());
        case vm::FaultResult::NoMemory: break;
    }
    log_error("out of memory: the program is killed; give the machine more (--memory)");
    return kernel_info(kSIGKILL);
}

// Arm ARM, D17.2.37: status codes of aborts.
std::optional<SigInfo> abort_info(Task& task, arch::TrapFrame const& frame, VirtAddr address) {
    constexpr u64 kFirstOther = 0x10, kAlignment = 0x21;
    u64 const status = frame.esr & 0x3f;
    if (status < kFirstOther) return mapping_info(task, frame, address);
    if (status == kAlignment) return fault_info(kSIGBUS, kBusAdrAln, address.value());
    return fault_info(kSIGBUS, kBusObjErr, address.value());
}

std::optional<SigInfo> exception_info(Task& task, arch::TrapFrame const& frame, VirtAddr address) {
    using enum arch::ExceptionClass;
    switch (arch::exception_class(frame)) {
        case InstructionAbortUser:
        case DataAbortUser: return abort_info(task, frame, address);
        case PcAlignment: return fault_info(kSIGBUS, kBusAdrAln, frame.elr);
        case SpAlignment: return fault_info(kSIGBUS, kBusAdrAln, frame.sp);
        case BreakpointInstruction: return fault_info(kSIGTRAP, kTrapBrkpt, frame.elr);
        case FloatingPointException: return fault_info(kSIGFPE, floating_point_code(frame.esr), frame.elr);
        default: return fault_info(kSIGILL, kIllIllOpc, frame.elr);
    }
}

}  // namespace

void handle_user_exception(arch::TrapFrame& frame, unsigned vector, VirtAddr address) {
    Task& task = current_task();
    task.fault_vector = static_cast<i32>(vector);
    task.fault_error_code = frame.esr;
    task.fault_address = arch::is_page_fault(frame) ? address.value() : 0;
    if (auto const info = exception_info(task, frame, address)) force_signal(task, *info);
}

}  // namespace tutti::linux_abi
