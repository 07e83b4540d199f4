// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "base/types.hpp"

namespace tutti::sched {

// Whether Thread::interrupt() ends a wait with Error::Interrupted.
enum class WaitMode : u8 { Uninterruptible, Interruptible };

}  // namespace tutti::sched
