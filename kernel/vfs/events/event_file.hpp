// SPDX-License-Identifier: BSD-3-Clause
// eventfd(2): a counter that readers take and writers add to.
#pragma once

#include "vfs/file.hpp"

namespace tutti::vfs {

enum class EventMode : u8 { Counter, Semaphore };

// `flags`: NonBlock or nothing. Error::NoMemory.
[[nodiscard]] Result<Ref<File>> make_event_file(u64 initial, EventMode mode, OpenFlags flags);

}  // namespace tutti::vfs
