// SPDX-License-Identifier: BSD-3-Clause
#include "arch/user_access.hpp"

namespace {
struct ExceptionEntry {
    tutti::u64 first;  // instructions in [first, last)
    tutti::u64 last;
    tutti::u64 fixup;
};
}  // namespace

extern "C" {
extern ExceptionEntry const __exception_table_start[];
extern ExceptionEntry const __exception_table_end[];
}

namespace tutti::arch {

// A dozen entries, searched only on a fault: linear is fine.
ISR_SAFE u64 find_fixup(u64 address) {
    for (ExceptionEntry const* entry = __exception_table_start; entry != __exception_table_end; ++entry)
        if (address >= entry->first && address < entry->last) return entry->fixup;
    return 0;
}

}  // namespace tutti::arch
