// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/machine/arch_prctl.hpp"

#include "arch/traps.hpp"
#include "linux_abi/process/task.hpp"

namespace tutti::linux_abi {

namespace {

// A user address that fs or gs may have as base.
bool is_user_address(u64 address) { return address < u64{0x0000'7fff'ffff'f000}; }

}  // namespace

SyscallResult sys_arch_prctl(Task& task, i32 option, u64 address) {
    constexpr i32 kSetGs = 0x1001, kSetFs = 0x1002, kGetFs = 0x1003, kGetGs = 0x1004;
    switch (option) {
        case kSetFs:
            if (!is_user_address(address)) return kEPERM;
            task.registers.fs_base = address;
            arch::set_user_fs_base(address);
            return 0;
        case kSetGs:
            if (!is_user_address(address)) return kEPERM;
            task.registers.gs_base = address;
            arch::set_user_gs_base(address);
            return 0;
        case kGetFs: return write_user(UserPtr<u64>{address}, task.registers.fs_base);
        case kGetGs: return write_user(UserPtr<u64>{address}, task.registers.gs_base);
        default: return kEINVAL;  // CET, XFEATURE permissions: not there
    }
}

}  // namespace tutti::linux_abi
