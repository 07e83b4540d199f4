// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "base/types.hpp"

namespace tutti::arch {

// What Linux has told the process at its start (sys/auxv.h); 0 if it has not.
[[nodiscard]] u64 auxiliary_value(u64 type);

}  // namespace tutti::arch
