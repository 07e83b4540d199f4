// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// The functions of this kernel image by address, for crash reports. The tables are written by
// tools/embed-symbols while the image is linked; they are read-only data, valid from the first instruction.

#include <cstddef>
#include <cstdint>

#include "base/isr_marks.hpp"

extern "C" {
// Address of the first listed function; the tables hold offsets from it.
extern const std::uint64_t symbol_table_base;
// Functions listed. Zero only in a first link that nobody runs.
extern const std::uint32_t symbol_table_count;
// Sorted, ascending, no duplicates: function address - symbol_table_base.
extern const std::uint32_t symbol_table_addresses[];
// Where in symbol_table_names each function's NUL-terminated, demangled name starts.
extern const std::uint32_t symbol_table_name_offsets[];
extern const char symbol_table_names[];
}

namespace tutti {

// What an address in the kernel's text belongs to.
struct SymbolLookup {
    const char* name = nullptr;  // null: the address is below every function
    std::uint64_t offset = 0;    // bytes from the function's start
};

// Names `address`. Any rung of the context ladder; never blocks, allocates or faults. An address past the
// last function is reported relative to it, so callers check that it lies in the kernel's text first.
// For a return address pass `address - 1`: a call may be a function's last instruction.
ISR_SAFE inline SymbolLookup lookup_symbol(std::uint64_t address) {
    if (symbol_table_count == 0 || address < symbol_table_base) return {};
    const std::uint64_t wanted = address - symbol_table_base;
    std::size_t low = 0;  // invariant: addresses[low] <= wanted < addresses[high]
    std::size_t high = symbol_table_count;
    while (high - low > 1) {
        const std::size_t middle = low + (high - low) / 2;
        if (symbol_table_addresses[middle] <= wanted) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return {symbol_table_names + symbol_table_name_offsets[low], wanted - symbol_table_addresses[low]};
}

}  // namespace tutti
