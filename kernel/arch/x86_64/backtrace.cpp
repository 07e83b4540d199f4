// SPDX-License-Identifier: BSD-3-Clause
// Registers and backtraces on the early console: the part of crash reports that is the same when the kernel is a process
// (arch/hosted).
#include "arch/crash_report.hpp"
#include "arch/memory_layout.hpp"
#include "arch/user_access.hpp"
#include "base/format.hpp"
#include "base/symbol_table.hpp"
#include "hal/console.hpp"

extern "C" {
extern char __text_start[];
extern char __text_end[];
}

namespace tutti::arch {
namespace {

constexpr unsigned kMaxLines = 40;

ISR_SAFE bool in_kernel_text(u64 address) {
    return address >= reinterpret_cast<u64>(__text_start) && address < reinterpret_cast<u64>(__text_end);
}

ISR_SAFE void print_place(u64 rip, u64 inside) {
    char line[200];
    if (in_kernel_text(rip)) {
        SymbolLookup const symbol = lookup_symbol(inside);
        hal::early_console_write(format_to(line, "    {} {}+{:#x}\n", VirtAddr{rip},
                                           symbol.name != nullptr ? symbol.name : "?",
                                           symbol.offset + (rip - inside)));
    } else {
        hal::early_console_write(format_to(line, "    {}\n", VirtAddr{rip}));
    }
}

ISR_SAFE void print_repeated(u64 times) {
    char line[64];
    hal::early_console_write(format_to(line, "    ... {} times more\n", times));
}

}  // namespace

ISR_SAFE char const* exception_name(unsigned vector) {
    static constexpr char const* kNames[] = {
        "division error", "debug exception", "non-maskable interrupt", "breakpoint", "overflow", "bound range exceeded",
        "invalid opcode", "device not available", "double fault", "coprocessor segment overrun", "invalid TSS",
        "segment not present", "stack-segment fault", "general protection fault", "page fault", "reserved exception 15",
        "x87 floating-point error", "alignment check", "machine check", "SIMD floating-point error",
        "virtualization exception", "control protection exception"};
    return vector < std::size(kNames) ? kNames[vector] : "reserved exception";
}

ISR_SAFE void print_backtrace(u64 rip, u64 frame_pointer) {
    u64 repeated = 0;  // a recursion is one line
    u64 last_rip = 0;
    for (unsigned lines = 0; lines < kMaxLines;) {
        if (rip == last_rip) {
            ++repeated;
        } else {
            if (repeated != 0) print_repeated(repeated);
            repeated = 0;
            print_place(rip, lines == 0 ? rip : rip - 1);  // a call may be a function's last instruction
            ++lines;
        }
        last_rip = rip;
        // Kernel addresses only, aligned; a broken chain ends in a failed read, not in a fault.
        u64 link[2];
        bool const readable = is_kernel_address(frame_pointer) && (frame_pointer & 7) == 0 &&
                              copy_probe(link, frame_pointer, sizeof link) == 0;
        if (!readable || link[1] == 0 || (link[0] <= frame_pointer && link[0] != 0)) {
            if (repeated != 0) print_repeated(repeated);
            return;
        }
        frame_pointer = link[0];
        rip = link[1];
    }
    hal::early_console_write("    ... and more\n");
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
