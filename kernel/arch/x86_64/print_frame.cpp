// SPDX-License-Identifier: BSD-3-Clause
// Exceptions by name and registers on the early console: the part of crash reports that is the same when the kernel is a
// process (arch/hosted).
#include "arch/crash_report.hpp"
#include "base/format.hpp"
#include "hal/console.hpp"

namespace tutti::arch {

ISR_SAFE char const* exception_name(unsigned vector) {
    static constexpr char const* kNames[] = {
        "division error", "debug exception", "non-maskable interrupt", "breakpoint", "overflow", "bound range exceeded",
        "invalid opcode", "device not available", "double fault", "coprocessor segment overrun", "invalid TSS",
        "segment not present", "stack-segment fault", "general protection fault", "page fault", "reserved exception 15",
        "x87 floating-point error", "alignment check", "machine check", "SIMD floating-point error",
        "virtualization exception", "control protection exception"};
    return vector < std::size(kNames) ? kNames[vector] : "reserved exception";
}

ISR_SAFE void print_frame(TrapFrame const& f) {
    char line[256];
    auto const print = [&](std::string_view text) { hal::early_console_write(text); };
    print(format_to(line, "  rip {:016x} rsp {:016x} rflags {:08x} cs {:x} {}\n", f.rip, f.rsp, f.rflags, f.cs,
                    f.is_user() ? "(user)" : "(kernel)"));
    print(format_to(line, "  rax {:016x} rbx {:016x} rcx {:016x} rdx {:016x}\n", f.rax, f.rbx, f.rcx, f.rdx));
    print(format_to(line, "  rsi {:016x} rdi {:016x} rbp {:016x} r8  {:016x}\n", f.rsi, f.rdi, f.rbp, f.r8));
    print(format_to(line, "  r9  {:016x} r10 {:016x} r11 {:016x} r12 {:016x}\n", f.r9, f.r10, f.r11, f.r12));
    print(format_to(line, "  r13 {:016x} r14 {:016x} r15 {:016x}\n", f.r13, f.r14, f.r15));
    if (!f.is_user()) print_backtrace(f.rip, f.rbp);
}

}  // namespace tutti::arch
