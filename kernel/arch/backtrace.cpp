// SPDX-License-Identifier: BSD-3-Clause
// Backtraces along the chain of frame pointers: {next frame, return address}, the same on every architecture.
#include <string_view>

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

ISR_SAFE void print_place(u64 address, u64 inside) {
    char line[200];
    if (in_kernel_text(address)) {
        SymbolLookup const symbol = lookup_symbol(inside);
        hal::early_console_write(format_to(line, "    {} {}+{:#x}\n", VirtAddr{address},
                                           symbol.name != nullptr ? symbol.name : "?",
                                           symbol.offset + (address - inside)));
    } else {
        hal::early_console_write(format_to(line, "    {}\n", VirtAddr{address}));
    }
}

ISR_SAFE void print_repeated(u64 times) {
    char line[64];
    hal::early_console_write(format_to(line, "    ... {} times more\n", times));
}

}  // namespace

ISR_SAFE void print_backtrace(u64 address, u64 frame_pointer) {
    u64 repeated = 0;  // a recursion is one line
    u64 last_address = 0;
    for (unsigned lines = 0; lines < kMaxLines;) {
        if (address == last_address) {
            ++repeated;
        } else {
            if (repeated != 0) print_repeated(repeated);
            repeated = 0;
            print_place(address, lines == 0 ? address : address - 1);  // a call may be a function's last instruction
            ++lines;
        }
        last_address = address;
        // Kernel addresses only, aligned; a broken chain ends in a failed read, not in a fault.
        u64 link[2];
        bool const readable = is_kernel_address(frame_pointer) && (frame_pointer & 7) == 0 &&
                              copy_probe(link, frame_pointer, sizeof link) == 0;
        if (!readable || link[1] == 0 || (link[0] <= frame_pointer && link[0] != 0)) {
            if (repeated != 0) print_repeated(repeated);
            return;
        }
        frame_pointer = link[0];
        address = link[1];
    }
    hal::early_console_write("    ... and more\n");
}

}  // namespace tutti::arch
