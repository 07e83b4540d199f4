// SPDX-License-Identifier: BSD-3-Clause
// The system calls of aarch64: those of every architecture.
#include "linux_abi/syscall/common_rows.hpp"

namespace tutti::linux_abi {

namespace {

constexpr SyscallTable kTable = make_syscall_table(std::array<SyscallRow, 0>{});

}  // namespace

SyscallEntry const* syscall_entry(u64 number) { return number < kSyscallLimit ? &kTable[number] : nullptr; }

}  // namespace tutti::linux_abi
