// SPDX-License-Identifier: BSD-3-Clause
// The first heap back end: size classes in slabs of a few frames, with a magazine for each class on each CPU.
// After Bonwick and Adams, "Magazines and Vmem" (USENIX 2001), without the depot level: a magazine refills from and
// spills to its class's slabs a batch at a time, under the class's lock.
#pragma once

#include "mem/heap/heap.hpp"

namespace tutti::mem {

[[nodiscard]] HeapBackend& slab_heap();

}  // namespace tutti::mem
