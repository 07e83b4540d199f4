// SPDX-License-Identifier: BSD-3-Clause
// From a path to a program that can run: maps an ELF executable, its interpreter and the vDSO into an address space
// and builds the first stack (arguments, environment, auxiliary vector), as execve does. Follows `#!` scripts.
#pragma once

#include <span>
#include <string_view>

#include "arch/memory_layout.hpp"
#include "base/result.hpp"
#include "base/string.hpp"
#include "base/types.hpp"

namespace tutti::vm {
class AddressSpace;
}
namespace tutti::vfs {
class Namespace;
}

namespace tutti::linux_abi::elf {

// Where the main stack begins. The last pages of the user half stay free: the byte below its end is an address that
// programs and tests take for a wild one.
inline constexpr u64 kStackTop = arch::kUserEnd - 16 * kPageSize;

struct LoadRequest {
    std::string_view path;                          // the program, absolute
    std::span<std::string_view const> arguments;    // argv[0] first; at least one
    std::span<std::string_view const> environment;  // "NAME=VALUE"
    u64 stack_limit = u64{8} << 20;                 // bytes the main stack may grow to (RLIMIT_STACK)
};

struct LoadedProgram {
    VirtAddr entry;          // first user instruction: the interpreter's when there is one
    VirtAddr stack_pointer;  // points at argc; 16-byte aligned
    VirtAddr break_start;    // where the heap of brk() begins, page-aligned
    // What /proc/self/{cmdline,environ,auxv,stat} report.
    VirtAddr code_start, code_end, data_start, data_end;
    VirtAddr stack_start;
    VirtAddr arguments_start, arguments_end;
    VirtAddr environment_start, environment_end;
    VirtAddr auxiliary_start;
    size_t auxiliary_size = 0;   // bytes, AT_NULL included
    VirtAddr vdso_base;          // null when it could not be mapped
    String executable;  // the ELF file that runs: the script's interpreter for a script
};

// Why a load failed, for a person: "/bin/x: is for aarch64, this machine is x86_64".
using LoadMessage = FixedString<256>;

// On failure the address space holds a partial image and is only good for destruction, `message` says why, and the
// error is: NotFound (no such file, or its interpreter is missing: 127), AccessDenied, BadFormat or NotExecutable
// (damaged, of another machine, absurd: 126), BadLibrary (the interpreter is damaged), TooBig (arguments), NoMemory,
// Interrupted, IoError. Thread context; may block and fault.
[[nodiscard]] Result<LoadedProgram> load_program(vm::AddressSpace& space, vfs::Namespace& files,
                                                 LoadRequest const& request, LoadMessage& message);

}  // namespace tutti::linux_abi::elf
