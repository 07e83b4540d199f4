// SPDX-License-Identifier: BSD-3-Clause
#include "arch/crash_report.hpp"

#include "arch/traps.hpp"
#include "arch/user_access.hpp"
#include "base/format.hpp"
#include "base/symbol_table.hpp"
#include "hal/console.hpp"
#include "hal/hooks.hpp"

extern "C" {
extern char __text_start[];
extern char __text_end[];
}

namespace tutti::arch {
namespace {

constexpr unsigned kMaxLines = 40;

bool in_kernel_text(u64 address) {
    return address >= reinterpret_cast<u64>(__text_start) && address < reinterpret_cast<u64>(__text_end);
}

// A double fault whose first fault was the stack's: at a guard page, or (before those are known) right at the stack
// pointer.
bool is_stack_overflow(TrapFrame const& frame, VirtAddr address) {
    if (frame.vector != kVectorDoubleFault) return false;
    if (hal::hooks.is_stack_guard != nullptr && hal::hooks.is_stack_guard(address)) return true;
    return address.value() <= frame.rsp + kPageSize && address.value() + kPageSize >= frame.rsp;
}

std::string_view describe_page_fault(std::span<char> buffer, TrapFrame const& frame, VirtAddr address) {
    bool const present = (frame.error_code & 1) != 0;
    bool const write = (frame.error_code & 2) != 0;
    bool const reserved = (frame.error_code & 8) != 0;
    bool const execute = (frame.error_code & 16) != 0;
    bool const user_half = address.value() >> 47 == 0;
    char const* const what = execute ? "execution of" : write ? "write to" : "read of";
    char const* const why = reserved                             ? "whose page-table entry is malformed"
                            : address.value() < kPageSize         ? "a null pointer"
                            : user_half && !frame.is_user()       ? "the program's memory, outside the copy functions"
                            : hal::hooks.is_stack_guard != nullptr && hal::hooks.is_stack_guard(address)
                                ? "the guard page of a kernel stack"
                            : present                             ? "which does not allow that"
                                                                  : "where nothing is mapped";
    return format_to(buffer, "page fault: {} {}, {} (error {:#x})", what, address, why, frame.error_code);
}

void print_place(u64 rip, u64 inside) {
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

void print_repeated(u64 times) {
    char line[64];
    hal::early_console_write(format_to(line, "    ... {} times more\n", times));
}

}  // namespace

std::string_view describe_exception(std::span<char> buffer, TrapFrame const& frame, VirtAddr address) {
    if (is_stack_overflow(frame, address))
        return format_to(buffer, "kernel stack overflow: the stack pointer is {}, the address {} is not mapped",
                         VirtAddr{frame.rsp}, address);
    if (frame.vector == kVectorPageFault) return describe_page_fault(buffer, frame, address);
    return format_to(buffer, "{} (vector {}, error {:#x}) at {}", exception_name(static_cast<unsigned>(frame.vector)),
                     frame.vector, frame.error_code, VirtAddr{frame.rip});
}

char const* exception_name(unsigned vector) {
    static constexpr char const* kNames[] = {
        "division error", "debug exception", "non-maskable interrupt", "breakpoint", "overflow", "bound range exceeded",
        "invalid opcode", "device not available", "double fault", "coprocessor segment overrun", "invalid TSS",
        "segment not present", "stack-segment fault", "general protection fault", "page fault", "reserved exception 15",
        "x87 floating-point error", "alignment check", "machine check", "SIMD floating-point error",
        "virtualization exception", "control protection exception"};
    return vector < std::size(kNames) ? kNames[vector] : "reserved exception";
}

void print_backtrace(u64 rip, u64 frame_pointer) {
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
        bool const readable = frame_pointer >> 47 != 0 && (frame_pointer & 7) == 0 &&
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

void print_frame(TrapFrame const& f) {
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
