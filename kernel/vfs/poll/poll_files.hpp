// SPDX-License-Identifier: BSD-3-Clause
// poll(2) and select(2): waiting for any of several files, without an instance to remember them.
#pragma once

#include <span>

#include "vfs/file.hpp"

namespace tutti::vfs {

struct PollItem {
    File* file = nullptr;  // null: skipped
    PollEvents wanted = 0;
    PollEvents ready = 0;  // out: within wanted and kPollAlways
};

// Fills in `ready` and returns how many items have something; waits for at least one until the deadline (then 0).
// Error::Interrupted, Error::NoMemory. The caller holds references to the files. Thread context.
[[nodiscard]] Result<size_t> poll_files(std::span<PollItem> items, Deadline deadline);

}  // namespace tutti::vfs
