// SPDX-License-Identifier: BSD-3-Clause
// Fills a memory filesystem from a cpio archive in RAM. Page-aligned file data is not copied: its frames become the
// files' pages.
#pragma once

#include "base/result.hpp"
#include "vfs/namespace.hpp"

namespace tutti::vfs {

struct CpioSummary {
    u64 entries = 0;
    u64 bytes_in_place = 0;
    u64 bytes_copied = 0;
};

// Unpacks the archive in `range` (direct-mapped RAM that nobody else uses) under the root of `names`. Directories that an
// entry needs and the archive lacks are made. Frames that are not needed any more go to the allocator. Error::BadFormat
// with what preceded the damage unpacked; NoMemory. Boot, Thread context.
Result<CpioSummary> load_cpio(Namespace& names, PhysRange range);

}  // namespace tutti::vfs
