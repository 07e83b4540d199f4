// SPDX-License-Identifier: BSD-3-Clause
// System call numbers by name and names by number.
#pragma once

#include <string_view>

#include "linux_abi/machine/syscall_numbers.hpp"

namespace tutti::linux_abi {

void no_system_call_of_this_name();  // never defined: calling it ends constant evaluation

// The number of the call called `name`; does not compile when there is none.
consteval u16 syscall_number(std::string_view name) {
    for (auto const& entry : kSyscallNames)
        if (entry.name == name) return entry.number;
    no_system_call_of_this_name();
    return 0;
}

// The name of call `number`, or an empty view for numbers that Linux does not use.
constexpr std::string_view syscall_name(u64 number) {
    for (auto const& entry : kSyscallNames)
        if (entry.number == number) return entry.name;
    return {};
}

}  // namespace tutti::linux_abi
