// SPDX-License-Identifier: BSD-3-Clause
// Small helpers that the operations and their entry points share.
#pragma once

#include <cstdio>
#include <string>

#include "engine/memory.hpp"

namespace tutti::interleave {

[[nodiscard]] inline u128 mask_of(u32 size) { return size == 16 ? ~u128{0} : (u128{1} << (8 * size)) - 1; }
[[nodiscard]] std::string value_text(u128 value);
[[nodiscard]] inline std::string name_of(Cell const& cell, u32 offset) {
    char buffer[24];
    std::snprintf(buffer, sizeof buffer, "[%llx]", static_cast<unsigned long long>(cell.address + offset));
    return buffer;
}

}  // namespace tutti::interleave
