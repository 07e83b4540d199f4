// SPDX-License-Identifier: BSD-3-Clause
#include "machine.hpp"

#include <algorithm>

#include "size.hpp"

namespace tutti::cli {

std::uint64_t default_memory(std::uint64_t initrd_size) {
    constexpr std::uint64_t kUnit = 2 * kMiB;
    std::uint64_t const wanted = (2 * initrd_size + 256 * kMiB + kUnit - 1) / kUnit * kUnit;
    return std::max(512 * kMiB, wanted);
}

}  // namespace tutti::cli
