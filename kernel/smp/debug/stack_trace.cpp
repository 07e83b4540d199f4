// SPDX-License-Identifier: BSD-3-Clause
#include "smp/debug/stack_trace.hpp"

#include "arch/user_access.hpp"
#include "base/format.hpp"
#include "base/symbol_table.hpp"
#include "hal/console.hpp"

namespace tutti::smp {

// A frame is {caller's frame pointer, return address}; callers' frames lie higher on the same stack. A frame pointer that is
// something else (a program's, after an interrupt) is not believed, and cannot fault.
ISR_SAFE void StackTrace::capture() {
    constexpr uptr kMostStack = 256 * 1024;
    uptr frame = reinterpret_cast<uptr>(__builtin_frame_address(0));
    u32 count = 0;
    for (bool first = true; count < kFrames; first = false) {
        uptr link[2];
        if (arch::copy_probe(link, frame, sizeof link) != 0 || link[1] == 0) break;
        if (!first) frames[count++] = link[1];
        if (link[0] <= frame || link[0] - frame > kMostStack || link[0] % sizeof(uptr) != 0) break;
        frame = link[0];
    }
    for (; count < kFrames; ++count) frames[count] = 0;
}

ISR_SAFE void StackTrace::print() const {
    for (uptr const frame : frames)
        if (frame != 0) print_place(frame);
}

ISR_SAFE void print_place(uptr return_address) {
    char line[200];
    // A call may be a function's last instruction.
    SymbolLookup const symbol = lookup_symbol(return_address - 1);
    hal::early_console_write(format_to(line, "#     {}+{:#x}\n", symbol.name != nullptr ? symbol.name : "?",
                                       symbol.offset + 1));
}

}  // namespace tutti::smp
