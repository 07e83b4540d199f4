// SPDX-License-Identifier: BSD-3-Clause
// Where the parts of the program lie, as /proc/self/{exe,cmdline,environ,auxv,stat} report them and signals use them.
#pragma once

#include "base/string.hpp"
#include "base/types.hpp"

namespace tutti::linux_abi {

struct ProcessImage {
    String executable;  // absolute path
    Nanoseconds started;
    VirtAddr code_start, code_end, data_start, data_end, break_start, stack_start;
    VirtAddr arguments_start, arguments_end, environment_start, environment_end;
    VirtAddr auxiliary_start;
    u64 auxiliary_size = 0;
    VirtAddr signal_return;  // in the vDSO; null: none
};

}  // namespace tutti::linux_abi
