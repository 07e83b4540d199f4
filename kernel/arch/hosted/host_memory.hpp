// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "base/types.hpp"

namespace tutti::arch {

// Zeroed pages of the kernel's own, for ever: `size` bytes, rounded up, at an address that no program can have. The host
// chooses such addresses by itself only with some of its settings (vm.mmap_rnd_bits, an unlimited stack). Panics when there
// is no memory. Any thread; start-up only.
[[nodiscard]] u64 host_memory(u64 size);

}  // namespace tutti::arch
