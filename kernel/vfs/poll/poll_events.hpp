// SPDX-License-Identifier: BSD-3-Clause
// Readiness of files, as bits. The values are those of poll(2), which every Unix has shared since System V.
#pragma once

#include "base/types.hpp"

namespace tutti::vfs {

using PollEvents = u32;
inline constexpr PollEvents kPollIn = 0x001;
inline constexpr PollEvents kPollPriority = 0x002;
inline constexpr PollEvents kPollOut = 0x004;
inline constexpr PollEvents kPollError = 0x008;
inline constexpr PollEvents kPollHangUp = 0x010;
inline constexpr PollEvents kPollReadNormal = 0x040;
inline constexpr PollEvents kPollWriteNormal = 0x100;
inline constexpr PollEvents kPollReadHangUp = 0x2000;
// Reported whether asked for or not.
inline constexpr PollEvents kPollAlways = kPollError | kPollHangUp;

}  // namespace tutti::vfs
