// SPDX-License-Identifier: BSD-3-Clause
// Where code was called from, kept for a later report: return addresses along the frame pointers.
#pragma once

#include "base/compiler.hpp"
#include "base/types.hpp"

namespace tutti::smp {

struct StackTrace {
    static constexpr u32 kFrames = 10;
    uptr frames[kFrames] = {};

    // Of the caller's caller and those above it. Any context; no locks.
    NOINLINE void capture();
    // On the early console, a line for each.
    void print() const;
};

// "    function+0x12" on the early console.
void print_place(uptr return_address);

}  // namespace tutti::smp
